package dev.rollcall.real;

import static dev.rollcall.real.RealContext.await;
import static org.apache.kafka.common.acl.AclPermissionType.ALLOW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rollcall.admin.TopicSetup;
import dev.rollcall.app.Main;
import dev.rollcall.app.Rollcall;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.contract.Access;
import dev.rollcall.contract.Role;
import dev.rollcall.domain.Heartbeat;
import dev.rollcall.wire.Inbound;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A secured cluster (TLS, SCRAM, an authorizer): the rights that the command acls prints are enough, and none too many. */
@Timeout(300)
@SuppressWarnings("FutureReturnValueIgnored")
class RightsIT {
    private static final String USER = "rollcall";
    private static final String PRINCIPAL = "User:" + USER;
    private static final AccessControlEntryFilter ANY_ENTRY = AccessControlEntryFilter.ANY;

    /** Without one of these something is not checked or not created, and nothing else. */
    private static final Set<AclOperation> TO_CHECK =
            EnumSet.of(AclOperation.DESCRIBE_CONFIGS, AclOperation.ALTER_CONFIGS, AclOperation.CREATE);

    @TempDir
    private Path dataDir;

    private SecuredBroker cluster;
    private Admin admin;
    private int starts;

    @BeforeEach
    void startCluster() throws Exception {
        cluster = SecuredBroker.start(dataDir, List.of(USER));
        admin = Admin.create(client(SecuredBroker.ADMIN));
        new TopicSetup(admin, config(), cluster.bootstrapServers())
                .create(List.of("device-heartbeat", "status", "appear-offline", "presence", "presence-dead-letters"));
    }

    @AfterEach
    void stopCluster() {
        admin.close();
        cluster.close();
    }

    @Test
    void shouldRunWithTheRightsThatAreAskedForWhenTheTopicsExist() throws Exception {
        grant(needed());
        try (Rollcall rollcall = Rollcall.start(config())) {
            rollcall.awaitReady();
            publishes("@alice:example.org");
        }
        try (Rollcall rollcall = Rollcall.start(config())) { // and again, with what is stored
            rollcall.awaitReady();
            publishes("@bob:example.org");
        }
    }

    @Test
    void shouldNameWhoLacksWhichRightOnWhatWhenOneIsLeftOut() throws Exception {
        List<AclBinding> all = needed();
        List<AclBinding> needed = all.stream()
                .filter(one -> !TO_CHECK.contains(one.entry().operation()))
                .filter(one ->
                        !one.pattern().name().equals("rollcall-checkpoint")) // not checked without, and warned of
                .toList();
        assertThat(needed).hasSize(14);
        grant(all);
        try (Rollcall rollcall = Rollcall.start(config())) { // creates the changelogs
            rollcall.awaitReady();
        }
        for (AclBinding left : needed) {
            revokeAll();
            List<AclBinding> rest = new ArrayList<>(all);
            assertThat(rest.removeIf(
                            one -> one.pattern().name().equals(left.pattern().name())
                                    && one.entry().operation() == left.entry().operation()))
                    .as("%s is asked for", left)
                    .isTrue();
            grant(rest);

            if (left.pattern().resourceType() == ResourceType.TRANSACTIONAL_ID) {
                assertThat(run("check")).startsWith("78").contains(PRINCIPAL).contains("transactional ids");
            }
            String refusal = refusal();
            assertThat(refusal)
                    .as("without %s", left)
                    .contains(PRINCIPAL)
                    .contains(left.pattern().name());
            assertThat(refusal.toUpperCase(java.util.Locale.ROOT))
                    .as("without %s", left)
                    .contains(left.entry().operation().toString());
        }
    }

    @Test
    void shouldSendForAnAdministratorWhenTopicsAreToBeCreatedOrChanged() throws Exception {
        grant(needed());
        admin.deleteTopics(List.of("status")).all().get();
        assertThat(run("topics create"))
                .startsWith(
                        "78 cannot create the topic status: User:rollcall lacks the right Create on the topic status: "
                                + "run \"rollcall topics create\" as an administrator of the cluster")
                .doesNotContain("acls");
        new TopicSetup(admin, config(), cluster.bootstrapServers()).create(List.of("status"));

        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, "status"),
                        List.of(new AlterConfigOp(
                                new ConfigEntry("cleanup.policy", "delete"), AlterConfigOp.OpType.SET))))
                .all()
                .get();
        assertThat(run("topics fix"))
                .startsWith("78 cannot change the settings of status: User:rollcall lacks the right AlterConfigs on the"
                        + " topics status: run \"rollcall topics fix\" as an administrator of the cluster")
                .doesNotContain("acls");
    }

    @Test
    void shouldRepairWithTheRightsOfThatRole() throws Exception {
        grant(needed());
        try (Rollcall rollcall = Rollcall.start(config())) {
            rollcall.awaitReady();
            publishes("@alice:example.org");
        }
        revokeAll();
        List<String> commands = List.of(
                "inspect @alice:example.org",
                "dead-letters list",
                "dead-letters replay --all",
                "republish",
                "forget @alice:example.org",
                "forget @alice:example.org --now",
                "rebuild --discard");
        assertThat(run("inspect @alice:example.org"))
                .as("without rights")
                .contains(PRINCIPAL)
                .contains("lacks the right")
                .startsWith("78");
        grant(rights(Role.REPAIR));
        assertThat(commands).allSatisfy(command -> assertThat(run(command)).startsWith("0"));
        revokeAll();
        grant(needed());
        try (Rollcall rollcall = Rollcall.start(config())) { // with what was rebuilt
            rollcall.awaitReady();
            publishes("@bob:example.org");
        }
    }

    /** The exit code, and what was printed to standard error. */
    private String run(String command) {
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of(command.split(" ")));
        all.addAll(List.of("--set", "bootstrap.servers=" + cluster.bootstrapServers()));
        cluster.client(USER).forEach((key, value) -> all.addAll(List.of("--set", "kafka." + key + "=" + value)));
        int code = Main.commandLine()
                .setOut(new PrintWriter(new StringWriter(), true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
        return code + " " + err;
    }

    /** With which message it does not start, or ends. */
    private String refusal() throws Exception {
        try (Rollcall rollcall = Rollcall.start(config())) {
            rollcall.awaitReady();
            send("@carol:example.org");
            rollcall.awaitEnd();
            return "it was closed";
        } catch (ConfigException e) {
            return String.valueOf(e.getMessage());
        } catch (ExecutionException e) {
            assertThat(e.getCause()).isInstanceOf(ConfigException.class);
            return String.valueOf(e.getCause().getMessage());
        }
    }

    private List<AclBinding> needed() {
        return rights(Role.PROCESSOR);
    }

    private List<AclBinding> rights(Role role) {
        List<AclBinding> all = new ArrayList<>();
        Access.of(role, config(), "")
                .rights()
                .forEach((resource, operations) -> operations.forEach(operation ->
                        all.add(new AclBinding(resource, new AccessControlEntry(PRINCIPAL, "*", operation, ALLOW)))));
        return all;
    }

    private void grant(Collection<AclBinding> rights) throws Exception {
        admin.createAcls(rights).all().get();
        await().until(() ->
                admin.describeAcls(AclBindingFilter.ANY).values().get().size() == rights.size());
    }

    private void revokeAll() throws Exception {
        admin.deleteAcls(List.of(new AclBindingFilter(ResourcePatternFilter.ANY, ANY_ENTRY)))
                .all()
                .get();
        await().until(() ->
                admin.describeAcls(AclBindingFilter.ANY).values().get().isEmpty());
    }

    private void send(String user) throws Exception {
        Inbound.Content beat = new Inbound.Beat(new Heartbeat("phone", null, false, OptionalLong.empty(), null));
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                client(SecuredBroker.ADMIN), new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(RealContext.record(RealContext.TOPICS.heartbeats(), user, beat))
                    .get();
        }
    }

    private void publishes(String user) throws Exception {
        send(user);
        Map<String, Object> settings = client(SecuredBroker.ADMIN);
        settings.put("isolation.level", "read_committed");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = IntStream.range(0, RealContext.PARTITIONS)
                    .mapToObj(partition -> new TopicPartition("presence", partition))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            List<String> seen = new ArrayList<>();
            await().until(() -> {
                consumer.poll(Duration.ofMillis(100))
                        .forEach(record -> seen.add(new String(record.key(), java.nio.charset.StandardCharsets.UTF_8)));
                return seen.contains(user);
            });
        }
    }

    private Map<String, Object> client(String user) {
        Map<String, Object> settings = new HashMap<>(cluster.client(user));
        settings.put("bootstrap.servers", cluster.bootstrapServers());
        return settings;
    }

    private RollcallConfig config() {
        List<String> settings = new ArrayList<>(List.of("bootstrap.servers", cluster.bootstrapServers()));
        cluster.client(USER).forEach((key, value) -> settings.addAll(List.of("kafka." + key, value)));
        return RollcallConfig.of(
                RealContext.settings(dataDir.resolve("data" + starts++), settings.toArray(String[]::new)));
    }
}
