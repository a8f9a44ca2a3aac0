package dev.rollcall.wire;

import dev.rollcall.v1.AppearOffline;
import dev.rollcall.v1.ClockPulse;
import dev.rollcall.v1.DeviceHeartbeat;
import dev.rollcall.v1.RoutingView;
import dev.rollcall.v1.ShardHeartbeat;
import dev.rollcall.v1.UserPresence;
import dev.rollcall.v1.UserStatus;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;

/** In which format the records of the contract are: how they begin. What follows is the same in all. Thread-safe. */
interface Format {
    /** Every record of the contract, so that one on the wrong topic is told from one that nobody knows. */
    List<Schema> CONTRACT = List.of(
            DeviceHeartbeat.getClassSchema(),
            ShardHeartbeat.getClassSchema(),
            ClockPulse.getClassSchema(),
            UserStatus.getClassSchema(),
            AppearOffline.getClassSchema(),
            UserPresence.getClassSchema(),
            RoutingView.getClassSchema());

    /** Avro's single-object encoding alone. */
    Format OWN = new Format() {
        private final SingleObject codec = new SingleObject(CONTRACT.toArray(Schema[]::new));

        @Override
        public SpecificRecord decode(byte[] bytes) throws UnreadableException {
            return codec.decode(bytes);
        }

        @Override
        public byte[] ofOwn(byte[] encoded) {
            return encoded;
        }
    };

    /** Any record of the contract. */
    SpecificRecord decode(byte[] bytes) throws UnreadableException;

    /** What is written for a record of the contract in single-object encoding. */
    byte[] ofOwn(byte[] encoded);
}
