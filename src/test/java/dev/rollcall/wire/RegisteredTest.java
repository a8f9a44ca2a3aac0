package dev.rollcall.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.domain.Heartbeat;
import dev.rollcall.domain.Presence;
import dev.rollcall.domain.PresenceState;
import dev.rollcall.domain.Rejection;
import dev.rollcall.domain.Rejection.Reason;
import dev.rollcall.domain.RoutingView;
import dev.rollcall.domain.StatusText;
import dev.rollcall.domain.UserId;
import dev.rollcall.session.ShardHeartbeat;
import dev.rollcall.wire.registry.RegistryUnavailableException;
import dev.rollcall.wire.registry.SchemaRegistry.Unusable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegisteredTest {
    private static final Topics OWN = Topics.ofContract();
    private static final Heartbeat HEARTBEAT =
            new Heartbeat("phone", PresenceState.IDLE, false, OptionalLong.of(5_000), "shard-1", "session-1");
    private static final Presence PRESENCE = new Presence(PresenceState.ONLINE, null, "at lünch", 17, 18L, 19);

    private long now;
    private final FakeRegistry registry = new FakeRegistry();
    private final Registered registered = Registered.reading(registry, () -> now);
    private final Topics topics = Topics.ofContract(registered);

    // ---- reading ----

    static List<Inbound.Content> contents() {
        return List.of(
                new Inbound.Beat(HEARTBEAT),
                new Inbound.ShardBeat(new ShardHeartbeat("shard-1", "session-1", 7, OptionalLong.empty(), true)),
                new Inbound.ClockTick("somebody"));
    }

    @ParameterizedTest
    @MethodSource("contents")
    void shouldReadWhatIsOnTheTopicOfHeartbeatsInBothFormats(Inbound.Content content) throws IOException {
        byte[] own = OWN.heartbeats().values().serializer().serialize("", Inbound.of(content));
        String name = content instanceof Inbound.Beat
                ? "DeviceHeartbeat"
                : content instanceof Inbound.ShardBeat ? "ShardHeartbeat" : "ClockPulse";
        registry.with(7, published(name));

        Inbound read = heartbeat(labelled(7, own));
        assertThat(read.content()).isEqualTo(content);
        assertThat(read.raw()).isEqualTo(labelled(7, own)); // for the dead letters, and the right partition
        assertThat(heartbeat(own).content()).isEqualTo(content);
    }

    @Test
    void shouldReadTextsFlagsAndOutputsInBothFormats() throws IOException {
        registry.with(1, published("UserStatus"))
                .with(2, published("AppearOffline"))
                .with(3, published("UserPresence"))
                .with(4, published("RoutingView"));
        Inbound.Content text = new Inbound.Status(new StatusText("here", 5L));
        Inbound.Content flag = new Inbound.AppearOffline(true);
        RoutingView view = new RoutingView(
                PresenceState.ONLINE,
                true,
                null,
                List.of(new RoutingView.RoutedDevice("phone", PresenceState.IDLE, 1, 2, 3)),
                RoutingView.Reason.EXPIRY,
                9);

        byte[] ofText = OWN.statuses().values().serializer().serialize("", Inbound.of(text));
        byte[] ofFlag = OWN.appearOffline().values().serializer().serialize("", Inbound.of(flag));
        byte[] ofPresence = OWN.presence().values().serializer().serialize("", PRESENCE);
        byte[] ofView = OWN.routing().values().serializer().serialize("", view);
        for (boolean isRegistered : new boolean[] {true, false}) {
            assertThat(topics.statuses()
                            .values()
                            .deserializer()
                            .deserialize("", isRegistered ? labelled(1, ofText) : ofText)
                            .content())
                    .isEqualTo(text);
            assertThat(topics.appearOffline()
                            .values()
                            .deserializer()
                            .deserialize("", isRegistered ? labelled(2, ofFlag) : ofFlag)
                            .content())
                    .isEqualTo(flag);
            assertThat(presence(isRegistered ? labelled(3, ofPresence) : ofPresence))
                    .isEqualTo(PRESENCE);
            assertThat(topics.routing()
                            .values()
                            .deserializer()
                            .deserialize("", isRegistered ? labelled(4, ofView) : ofView))
                    .isEqualTo(view);
        }
    }

    /** What comes by the million costs nothing more where a registry is configured. */
    @Test
    void shouldAskNobodyWhenAValueIsInItsOwnFormat() {
        registry.goAway("it must not be asked");
        byte[] own = OWN.heartbeats().values().serializer().serialize("", Inbound.of(new Inbound.Beat(HEARTBEAT)));

        assertThat(registered.waitsFor(own)).isNull();
        assertThat(registered.waitsFor(null)).isNull();
        assertThat(heartbeat(own).content()).isEqualTo(new Inbound.Beat(HEARTBEAT));
        assertThat(presence(OWN.presence().values().serializer().serialize("", PRESENCE)))
                .isEqualTo(PRESENCE);
        assertThat(registry.asked).isEmpty();
    }

    @Test
    void shouldResolveAsAvroDoesWhenTheWritersSchemaIsAnother() throws IOException {
        Schema writer = schema("""
                {"type": "record", "name": "DeviceHeartbeat", "namespace": "dev.rollcall.v1", "fields": [
                  {"name": "app_version", "type": ["null", "int"], "default": null},
                  {"name": "connection", "type": {"type": "enum", "name": "ConnectionPhase", "symbols": ["CLOSED", "OPEN"]}},
                  {"name": "nested", "type": ["null", "DeviceHeartbeat"], "default": null},
                  {"name": "device_id", "type": "string"}]}""");
        registry.with(8, writer.toString());
        GenericRecord value = new GenericData.Record(writer);
        value.put("app_version", 12);
        value.put(
                "connection",
                new GenericData.EnumSymbol(writer.getField("connection").schema(), "CLOSED"));
        value.put("device_id", "tablet");

        assertThat(heartbeat(registered(8, value)).content())
                .isEqualTo(new Inbound.Beat(new Heartbeat("tablet", null, true, OptionalLong.empty(), null)));
    }

    /** The Avro specification compares the names of records without their namespaces. */
    @Test
    void shouldTakeARecordForItsOwnWhenOnlyTheNamespaceDiffers() throws IOException {
        Schema writer = schema("""
                {"type": "record", "name": "UserStatus", "namespace": "com.example.chat", "fields": [
                  {"name": "text", "type": "string"}]}""");
        registry.with(8, writer.toString());
        GenericRecord value = new GenericData.Record(writer);
        value.put("text", "here");

        assertThat(topics.statuses()
                        .values()
                        .deserializer()
                        .deserialize("", registered(8, value))
                        .content())
                .isEqualTo(new Inbound.Status(new StatusText("here", null)));
    }

    // ---- what cannot be used ----

    @Test
    void shouldNameTheIdWhenTheRegistryHasNoSuchSchema() {
        assertThat(rejected(labelled(4_711, new byte[20])))
                .isEqualTo(new Rejection(Reason.UNKNOWN_SCHEMA, "schema 4711 is not in the registry"));
        assertThatThrownBy(() -> presence(labelled(4_711, new byte[20])))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("schema 4711 is not in the registry");
    }

    @Test
    void shouldNameTheIdWhenASchemaIsNoneOfRollcalls() {
        registry.with(1, "\"string\"")
                .with(2, "{\"type\": \"record\", \"name\": \"Invoice\", \"fields\": []}")
                .with(3, "syntax = \"proto3\";")
                .with(4, new Unusable("of the registry is PROTOBUF, and not Avro"));

        assertThat(rejected(labelled(1, new byte[20])).detail())
                .isEqualTo("schema 1 of the registry is no record of Rollcall's: it is the string string");
        assertThat(rejected(labelled(2, new byte[20])).detail()).contains("schema 2", "the record Invoice");
        assertThat(rejected(labelled(3, new byte[20])).detail()).contains("schema 3", "is not an Avro schema");
        assertThat(rejected(labelled(4, new byte[20])).detail())
                .isEqualTo("schema 4 of the registry is PROTOBUF, and not Avro");
    }

    @Test
    void shouldNameTheIdWhenASchemaCannotBeResolved() {
        registry.with(
                9,
                "{\"type\": \"record\", \"name\": \"DeviceHeartbeat\", \"namespace\": \"dev.rollcall.v1\", \"fields\": [{\"name\": \"device\", \"type\": \"string\"}]}");

        Rejection rejection = rejected(labelled(
                9, OWN.heartbeats().values().serializer().serialize("", Inbound.of(new Inbound.Beat(HEARTBEAT)))));
        assertThat(rejection.reason()).isEqualTo(Reason.UNDECODABLE);
        assertThat(rejection.detail())
                .startsWith("with schema 9 of the registry, read as DeviceHeartbeat: ")
                .contains("missing required field device_id");
    }

    @Test
    void shouldRefuseAFieldThatIsOutOfItsRangeAsInItsOwnFormat() throws IOException {
        registry.with(7, published("DeviceHeartbeat"));
        GenericRecord value = new GenericData.Record(schema(published("DeviceHeartbeat")));
        value.put("device_id", "");
        value.put(
                "connection",
                new GenericData.EnumSymbol(
                        value.getSchema().getField("connection").schema(), "OPEN"));

        assertThat(rejected(registered(7, value)).reason()).isEqualTo(Reason.INVALID_FIELD);
        value.put("device_id", "phone");
        byte[] good = registered(7, value);
        byte[] longer = java.util.Arrays.copyOf(good, good.length + 1);
        assertThat(rejected(longer).detail()).contains("schema 7", "bytes after the end");
    }

    @Test
    void shouldRefuseARecordOfAnotherTopic() throws IOException {
        registry.with(3, published("UserPresence")).with(7, published("DeviceHeartbeat"));

        assertThat(rejected(labelled(3, OWN.presence().values().serializer().serialize("", PRESENCE)))
                        .reason())
                .isEqualTo(Reason.WRONG_TOPIC);
        byte[] beat = OWN.heartbeats().values().serializer().serialize("", Inbound.of(new Inbound.Beat(HEARTBEAT)));
        assertThatThrownBy(() -> presence(labelled(7, beat)))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("DeviceHeartbeat does not belong on the topic");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4})
    void shouldAskNobodyWhenItIsTooShortForAnId(int length) {
        assertThat(rejected(new byte[length]).reason()).isEqualTo(Reason.UNDECODABLE);
        assertThat(registry.asked).isEmpty();
    }

    /** The id is anybody's: so are the bytes behind it. */
    @Test
    void shouldRefuseEndlessNestingWhenTheRegistrysSchemaAllowsIt() {
        registry.with(8, """
                {"type": "record", "name": "UserStatus", "fields": [
                  {"name": "more", "type": ["null", "UserStatus"], "default": null}]}""");
        byte[] deep = new byte[1 << 20];
        java.util.Arrays.fill(deep, (byte) 2);

        Inbound read = topics.statuses().values().deserializer().deserialize("", labelled(8, wide(deep)));
        assertThat(read.content()).isInstanceOf(Inbound.Rejected.class);
    }

    // ---- a registry that is away ----

    @Test
    void shouldWaitAndRefuseNothingWhenTheRegistryIsAway() throws IOException {
        registry.with(7, published("DeviceHeartbeat")).goAway("Connection refused");
        byte[] value = labelled(
                7, OWN.heartbeats().values().serializer().serialize("", Inbound.of(new Inbound.Beat(HEARTBEAT))));

        assertThat(registered.waitsFor(value)).isEqualTo("schema 7 of the registry (Connection refused)");
        assertThatThrownBy(() -> heartbeat(value))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessage("schema 7 of the registry is not known: Connection refused");

        registry.comeBack();
        assertThat(registered.waitsFor(value))
                .as("it is left alone for a second")
                .isNotNull();
        now += Duration.ofSeconds(1).toNanos();
        assertThat(registered.waitsFor(value)).isNull();
        assertThat(heartbeat(value).content()).isEqualTo(new Inbound.Beat(HEARTBEAT));
        assertThat(registry.asked).containsExactly(7, 7);
    }

    @Test
    void shouldAskOnceWhenManyWaitForOneId() throws IOException {
        registry.with(7, published("DeviceHeartbeat")).beSlow();
        byte[] value = labelled(
                7, OWN.heartbeats().values().serializer().serialize("", Inbound.of(new Inbound.Beat(HEARTBEAT))));

        for (int i = 0; i < 100; i++) {
            assertThat(registered.waitsFor(value)).isEqualTo("schema 7 of the registry");
        }
        registry.answerAll();
        assertThat(registered.waitsFor(value)).isNull();
        now += Duration.ofDays(100).toNanos();
        registry.goAway("and it is never needed again");
        assertThat(heartbeat(value).content()).isEqualTo(new Inbound.Beat(HEARTBEAT));
        assertThat(registry.asked).containsExactly(7);
    }

    @Test
    void shouldAskAgainAfterAMinuteWhenThereWasNoSuchSchema() throws IOException {
        byte[] value = labelled(
                7, OWN.heartbeats().values().serializer().serialize("", Inbound.of(new Inbound.Beat(HEARTBEAT))));
        assertThat(rejected(value).detail()).isEqualTo("schema 7 is not in the registry");

        now += Duration.ofSeconds(59).toNanos();
        assertThat(rejected(value).detail()).isEqualTo("schema 7 is not in the registry");
        assertThat(registry.asked).containsExactly(7);

        now += Duration.ofSeconds(1).toNanos();
        registry.goAway("what was decided holds until it is back");
        assertThat(registered.waitsFor(value)).isNull();
        assertThat(rejected(value).detail()).isEqualTo("schema 7 is not in the registry");

        now += Duration.ofMinutes(1).toNanos();
        registry.with(7, published("DeviceHeartbeat")).comeBack();
        assertThat(heartbeat(value).content()).isEqualTo(new Inbound.Beat(HEARTBEAT));
    }

    @Test
    void shouldRememberWhatIsGoodWhenThousandsOfIdsAreNot() throws IOException {
        registry.with(7, published("DeviceHeartbeat"));
        byte[] value = labelled(
                7, OWN.heartbeats().values().serializer().serialize("", Inbound.of(new Inbound.Beat(HEARTBEAT))));
        assertThat(heartbeat(value).content()).isEqualTo(new Inbound.Beat(HEARTBEAT));
        for (int id = 1_000; id < 6_000; id++) {
            rejected(labelled(id, new byte[1]));
        }

        assertThat(heartbeat(value).content()).isEqualTo(new Inbound.Beat(HEARTBEAT));
        assertThat(registry.asked).hasSize(5_001).containsOnlyOnce(7);
        rejected(labelled(1_000, new byte[1]));
        assertThat(registry.asked).as("the first of the others are forgotten").hasSize(5_002);
    }

    // ---- writing ----

    @Test
    void shouldWriteItsOwnFormatUnlessItIsAsked() {
        assertThat(topics.presence().values().serializer().serialize("", PRESENCE))
                .isEqualTo(OWN.presence().values().serializer().serialize("", PRESENCE));
    }

    @Test
    void shouldWriteWhatAnyAvroDecoderReadsWhenItIsAsked() throws IOException {
        Topics writing = Topics.ofContract(Registered.readingAndWriting(registry));
        byte[] value = writing.presence().values().serializer().serialize("presence", PRESENCE);

        int id = ByteBuffer.wrap(value).getInt(1);
        assertThat(value[0]).isZero();
        assertThat(id).isEqualTo(registry.idOf("dev.rollcall.v1.UserPresence"));
        GenericRecord read = new GenericDatumReader<GenericRecord>(schema(published("UserPresence")))
                .read(null, DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null));
        assertThat(read.get("status")).hasToString("at lünch");
        assertThat(read.get("sequence")).isEqualTo(19L);
    }

    @ParameterizedTest
    @MethodSource("contents")
    void shouldReadWhatItWritesWithoutAsking(Inbound.Content content) {
        Topics writing = Topics.ofContract(Registered.readingAndWriting(registry));
        registry.goAway("it must not be asked: a publisher reads what it writes, and may not block");

        byte[] value = writing.heartbeats().values().serializer().serialize("", Inbound.of(content));
        assertThat(value[0]).isZero();
        assertThat(writing.heartbeats()
                        .values()
                        .deserializer()
                        .deserialize("", value)
                        .content())
                .isEqualTo(content);
        assertThat(registry.asked).isEmpty();
    }

    @Test
    void shouldWriteAFlagAndATextAndNoTombstone() {
        Topics writing = Topics.ofContract(Registered.readingAndWriting(registry));

        assertThat(writing.appearOffline()
                        .values()
                        .serializer()
                        .serialize("", Inbound.of(new Inbound.AppearOffline(true)))[0])
                .isZero();
        assertThat(writing.statuses()
                        .values()
                        .serializer()
                        .serialize("", Inbound.of(new Inbound.Status(StatusText.NONE))))
                .isNull();
        assertThat(writing.presence().values().serializer().serialize("", null)).isNull();
    }

    @Test
    void shouldRegisterThePublishedSchemasWithoutJavasProperties() throws IOException {
        Topics unused = Topics.ofContract(Registered.readingAndWriting(registry));

        int id = registry.idOf("dev.rollcall.v1.UserStatus");
        assertThat(((dev.rollcall.wire.registry.SchemaRegistry.Found)
                                registry.schema(id).join())
                        .schema())
                .isEqualTo(schema(published("UserStatus")).toString())
                .doesNotContain("avro.java.string");
        assertThat(unused.presence().name()).isEqualTo("presence");
    }

    @Test
    void shouldNotStartToWriteWhenTheRegistryIsAway() {
        registry.goAway("Connection refused");

        assertThatThrownBy(() -> Registered.readingAndWriting(registry))
                .isInstanceOf(RegistryUnavailableException.class)
                .hasMessageContaining("has not told the id of dev.rollcall.v1.")
                .hasMessageContaining("Connection refused");
    }

    /** A header is no value of a topic: no tool of a registry looks there. */
    @Test
    void shouldCarryAHeartbeatInItsOwnFormatWhateverIsWritten() {
        Topics writing = Topics.ofContract(Registered.readingAndWriting(registry));
        var record = new dev.rollcall.client.sending.EventRecords(writing)
                .heartbeat(UserId.of("@alice:example.org"), HEARTBEAT, new StatusText("here", null));

        assertThat(record.value()[0]).isZero();
        assertThat(record.headers().lastHeader(CarriedHeartbeat.HEADER).value()[0])
                .isEqualTo((byte) 0xC3);
        assertThat(CarriedHeartbeat.of(record.headers())).isEqualTo(new Inbound.Beat(HEARTBEAT));
    }

    // ---- helpers ----

    private Inbound heartbeat(byte[] value) {
        return topics.heartbeats().values().deserializer().deserialize("device-heartbeat", value);
    }

    private Rejection rejected(byte[] value) {
        return ((Inbound.Rejected) heartbeat(value).content()).rejection();
    }

    private Presence presence(byte[] value) {
        return topics.presence().values().deserializer().deserialize("presence", value);
    }

    /** In the registry's format, what was in single-object encoding: 10 bytes, and the body. */
    private static byte[] labelled(int id, byte[] own) {
        int header = Math.min(10, own.length);
        return ByteBuffer.allocate(5 + own.length - header)
                .put((byte) 0)
                .putInt(id)
                .put(own, header, own.length - header)
                .array();
    }

    private static byte[] wide(byte[] body) {
        return ByteBuffer.allocate(10 + body.length).put(10, body).array();
    }

    private static byte[] registered(int id, GenericRecord value) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        var encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<GenericRecord>(value.getSchema()).write(value, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    private static Schema schema(String json) {
        return new Schema.Parser().parse(json);
    }

    private static String published(String record) throws IOException {
        return Files.readString(Path.of("schemas", record + ".avsc"));
    }
}
