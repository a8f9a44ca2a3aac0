package dev.rollcall.simulation.people;

import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.StatusText;
import dev.rollcall.simulation.judge.History.Topic;
import dev.rollcall.simulation.time.Chance;
import dev.rollcall.simulation.time.EventQueue;
import dev.rollcall.wire.Inbound;
import dev.rollcall.wire.Topics;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** What clumsy and hostile producers write: misrouted, late, twice, ill-formed, too large, on the wrong topic. */
final class Blunders {
    private Blunders() {}

    static void make(Writer writer, byte[] user, Device device, Chance chance, EventQueue time) {
        int wrong = chance.below(writer.partitions());
        byte[] heartbeat = Writer.encode(device.heartbeat(chance.oneOf(PresenceState.values()), chance.oneIn(8)));
        switch (chance.below(9)) {
            case 0, 1 -> writer.write(Topic.DEVICE_HEARTBEAT, wrong, user, heartbeat, new RecordHeaders(), null);
            case 2 ->
                writer.write(
                        Topic.STATUS,
                        wrong,
                        user,
                        value(new Inbound.Status(new StatusText("misrouted " + chance.below(5), null))),
                        new RecordHeaders(),
                        null);
            case 3 ->
                writer.write(
                        Topic.APPEAR_OFFLINE,
                        wrong,
                        user,
                        value(new Inbound.AppearOffline(chance.oneIn(2))),
                        new RecordHeaders(),
                        null);
            case 4 -> { // twice, and late
                writer.heartbeat(user, heartbeat);
                time.afterMillis(chance.magnitude(1, 100_000), () -> writer.heartbeat(user, heartbeat));
            }
            case 5 -> writer.write(Topic.APPEAR_OFFLINE, writer.partition(user), user, null, new RecordHeaders(), null);
            case 6 -> writer.write(Topic.STATUS, writer.partition(user), user, null, new RecordHeaders(), null);
            default -> garbage(writer, user, chance);
        }
    }

    static void garbage(Writer writer, byte[] user, Chance chance) {
        Topic topic = chance.oneOf(Topic.values());
        byte[] good = Writer.encode(Writer.heartbeat("d0", PresenceState.ONLINE, false, 0, null, null));
        byte[] text = value(new Inbound.Status(new StatusText("well-formed", null)));
        byte[] key = user;
        byte[] value = good;
        Headers headers = new RecordHeaders();
        switch (chance.below(10)) {
            case 0 -> value = new byte[chance.below(40)];
            case 1 -> value = new byte[(1 << 20) - 200];
            case 2 -> value = null;
            case 3 -> key = null;
            case 4 -> key = chance.oneOf(new byte[0], new byte[300], new byte[] {(byte) 0xC3, 0x28});
            case 5 -> value = topic == Topic.DEVICE_HEARTBEAT ? text : good;
            case 6 -> value[value.length - 1 - chance.below(8)] ^= (byte) (1 << chance.below(8));
            case 7 -> value = Writer.encode(Writer.heartbeat("x".repeat(300), null, false, 0, null, null));
            case 8 -> {
                headers.add("rollcall.heartbeat", chance.oneIn(2) ? new byte[5] : good);
                topic = Topic.STATUS;
                value = text;
            }
            default -> {
                headers.add("rollcall.rerouted-from-time", new byte[chance.oneIn(2) ? 3 : 8]);
                headers.add("large", new byte[chance.oneIn(4) ? 900_000 : 5]);
            }
        }
        int partition = key == null ? chance.below(writer.partitions()) : writer.partition(key);
        writer.write(topic, partition, key, value, headers, null);
    }

    private static byte[] value(Inbound.Content content) {
        return Topics.ofContract().heartbeats().values().serializer().serialize("any", Inbound.of(content));
    }

    static byte[] stranger(int number) {
        return ("@stranger" + number).getBytes(StandardCharsets.UTF_8);
    }
}
