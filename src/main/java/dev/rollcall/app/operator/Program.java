package dev.rollcall.app.operator;

import dev.rollcall.config.RollcallConfig;
import java.util.Map;

/** What these commands get of the program that they belong to. */
public interface Program {
    RollcallConfig config();

    /** The brokers that clients connect to. */
    String bootstrapServers(RollcallConfig config);

    /** The settings of Kafka's admin client. */
    Map<String, Object> admin(RollcallConfig config);

    /** The settings of a consumer without a group. */
    Map<String, Object> consumer(RollcallConfig config);

    /** The settings of a producer. */
    Map<String, Object> producer(RollcallConfig config);

    /** What an operator is told of a failure. */
    String explain(Throwable failure);
}
