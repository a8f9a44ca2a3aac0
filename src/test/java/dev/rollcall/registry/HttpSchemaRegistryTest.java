package dev.rollcall.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.rollcall.config.ConfigException;
import dev.rollcall.config.RegistrySettings;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.wire.registry.SchemaRegistry.Found;
import dev.rollcall.wire.registry.SchemaRegistry.Unusable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is asked of a registry over HTTP, and what is taken for an answer. That a real one answers so is in {@code RegistryIT}. */
@Timeout(60)
class HttpSchemaRegistryTest {
    private static final String PASSWORD = "changeit";

    @TempDir
    private Path dir;

    private final Map<String, String> answers = new HashMap<>(); // the status, a space, the body
    private final List<String> asked = new ArrayList<>();
    private final List<String> authorizations = new ArrayList<>();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private synchronized void answer(HttpExchange call) throws IOException {
        String body = new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String request = call.getRequestMethod() + " " + call.getRequestURI() + (body.isEmpty() ? "" : " " + body);
        asked.add(request);
        authorizations.add(String.valueOf(call.getRequestHeaders().getFirst("Authorization")));
        String[] answer =
                answers.getOrDefault(request, "404 {\"error_code\": 404}").split(" ", 2);
        byte[] bytes = answer[1].getBytes(StandardCharsets.UTF_8);
        call.sendResponseHeaders(Integer.parseInt(answer[0]), bytes.length == 0 ? -1 : bytes.length);
        call.getResponseBody().write(bytes);
        call.close();
    }

    private String url() {
        return "http://localhost:" + server.getAddress().getPort() + "/base";
    }

    private HttpSchemaRegistry registry(String... more) {
        Map<String, String> keys = new HashMap<>(Map.of("schema.registry.url", url()));
        for (int i = 0; i < more.length; i += 2) {
            keys.put("schema.registry." + more[i], more[i + 1]);
        }
        return new HttpSchemaRegistry(RollcallConfig.of(keys).registry());
    }

    // ---- schemas ----

    @Test
    void shouldGiveTheSchemaOfAnId() {
        answers.put("GET /base/schemas/ids/17", "200 {\"schema\": \"\\\"string\\\"\"}");

        assertThat(registry().schema(17).join()).isEqualTo(new Found("\"string\""));
        assertThat(authorizations).containsExactly("null");
    }

    @Test
    void shouldTakeTheRegistrysWordWhenThereIsNone() {
        answers.put("GET /base/schemas/ids/17", "404 {\"error_code\": 40403, \"message\": \"Schema 17 not found\"}");

        assertThat(registry().schema(17).join()).isEqualTo(new Unusable("is not in the registry"));
        assertThat(registry().schema(-5).join()).isInstanceOf(Unusable.class);
        assertThat(asked).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 {\"schema\": \"x\", \"schemaType\": \"PROTOBUF\"}                                | of the registry is PROTOBUF, and not Avro",
                "200 {\"schema\": \"x\", \"references\": [{\"name\": \"a\", \"subject\": \"a\", \"version\": 1}]} | of the registry refers to other schemas, which are not read",
            })
    void shouldSayWhyASchemaCannotBeUsed(String answer, String why) {
        answers.put("GET /base/schemas/ids/17", answer);

        assertThat(registry().schema(17).join()).isEqualTo(new Unusable(why));
    }

    /** A wrong path would otherwise send every record to the dead letters. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "404 <html>not found</html>    | the answer is 404",
                "404 {\"error_code\": 404}     | the answer is 404",
                "401 {\"message\": \"who?\"}   | the answer is 401 who?",
                "500 {\"error_code\": 50001}   | the answer is 500",
                "200 <html>welcome</html>      | the answer is 200",
                "200 {}                        | the answer is 200",
                "302 {}                        | the answer is 302",
            })
    void shouldTakeNothingElseForAnAnswer(String answer, String why) {
        answers.put("GET /base/schemas/ids/17", answer);

        assertThatThrownBy(() -> registry().schema(17).join())
                .isInstanceOf(CompletionException.class)
                .rootCause()
                .isInstanceOf(IOException.class)
                .hasMessageEndingWith(why);
    }

    @Test
    void shouldFailWhenNobodyListens() {
        HttpSchemaRegistry registry = registry();
        server.stop(0);

        assertThatThrownBy(() -> registry.schema(17).join())
                .hasCauseInstanceOf(IOException.class)
                .hasMessageContaining(url() + ": ");
    }

    @Test
    void shouldAskTheNextAddressWhenOneDoesNotAnswerAndStayThere() {
        answers.put("GET /base/schemas/ids/17", "200 {\"schema\": \"x\"}");
        answers.put("GET /broken/schemas/ids/17", "503 {}");
        String other = url().replace("/base", "/broken");
        HttpSchemaRegistry registry = registry("url", "http://localhost:1/closed , " + other + ", " + url());

        assertThat(registry.schema(17).join()).isEqualTo(new Found("x"));
        assertThat(registry.schema(17).join()).isEqualTo(new Found("x"));
        assertThat(asked)
                .containsExactly("GET /broken/schemas/ids/17", "GET /base/schemas/ids/17", "GET /base/schemas/ids/17");
    }

    @Test
    void shouldShowTheUserWhenOneIsSet() {
        answers.put("GET /base/schemas/ids/17", "200 {\"schema\": \"x\"}");

        assertThat(registry("user", "röllcall", "password", "pässword")
                        .schema(17)
                        .join())
                .isEqualTo(new Found("x"));
        assertThat(authorizations)
                .containsExactly("Basic "
                        + Base64.getEncoder().encodeToString("röllcall:pässword".getBytes(StandardCharsets.UTF_8)));
    }

    // ---- ids ----

    private static final String SUBJECT = "/base/subjects/dev.rollcall.v1.X";
    private static final String BODY = " {\"schema\":\"{\\\"a\\\"}\"}";

    @Test
    void shouldLookTheIdUpAndRegisterNothingWhenItIsThere() {
        answers.put("POST " + SUBJECT + BODY, "200 {\"id\": 5, \"version\": 1}");

        assertThat(registry().id("dev.rollcall.v1.X", "{\"a\"}").join()).isEqualTo(5);
        assertThat(asked).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"40401", "40403"})
    void shouldRegisterWhenItIsNotThere(int code) {
        answers.put("POST " + SUBJECT + BODY, "404 {\"error_code\": " + code + "}");
        answers.put("POST " + SUBJECT + "/versions" + BODY, "200 {\"id\": 6}");

        assertThat(registry().id("dev.rollcall.v1.X", "{\"a\"}").join()).isEqualTo(6);
    }

    @ParameterizedTest
    @CsvSource({"401", "403", "409", "422"})
    void shouldSayWhatToDoWhenTheRegistryRefuses(int status) {
        answers.put("POST " + SUBJECT + BODY, "404 {\"error_code\": 40401}");
        answers.put("POST " + SUBJECT + "/versions" + BODY, status + " {\"message\": \"because\"}");

        assertThatThrownBy(() -> registry().id("dev.rollcall.v1.X", "{\"a\"}").join())
                .hasCauseInstanceOf(ConfigException.class)
                .hasMessageContaining("schema.registry.write")
                .hasMessageContaining("dev.rollcall.v1.X")
                .hasMessageContaining(status + " because");
    }

    // ---- TLS ----

    @Test
    void shouldTrustWhatTheTruststoreHas() throws Exception {
        Path keystore = keystore();
        Path pem = Files.writeString(
                dir.resolve("ca.pem"), keytool("-exportcert", "-rfc", "-keystore", keystore.toString()));
        HttpsServer https = https(keystore);
        try {
            answers.put("GET /base/schemas/ids/17", "200 {\"schema\": \"x\"}");
            String url = "https://localhost:" + https.getAddress().getPort() + "/base";

            assertThat(registry("url", url, "truststore.location", pem.toString(), "truststore.type", "PEM")
                            .schema(17)
                            .join())
                    .isEqualTo(new Found("x"));
            assertThat(registry(
                                    "url", url,
                                    "truststore.location", keystore.toString(),
                                    "truststore.password", PASSWORD)
                            .schema(17)
                            .join())
                    .isEqualTo(new Found("x"));
            assertThatThrownBy(() -> registry("url", url).schema(17).join()).hasMessageContaining("PKIX");
        } finally {
            https.stop(0);
        }
    }

    @Test
    void shouldNameTheKeyWhenAStoreCannotBeRead() {
        assertThatThrownBy(() ->
                        registry("truststore.location", dir.resolve("none").toString()))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("schema.registry.truststore");
    }

    @Test
    void shouldPrintNoSecret() {
        RegistrySettings settings = RollcallConfig.of(Map.of(
                        "schema.registry.url", url(),
                        "schema.registry.user", "me",
                        "schema.registry.password", "s3cret",
                        "schema.registry.truststore.password", "s3cret"))
                .registry();

        assertThat(settings.toString()).contains("me").doesNotContain("s3cret");
    }

    private HttpsServer https(Path keystore) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keystore)) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        HttpsServer https = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        https.setHttpsConfigurator(new HttpsConfigurator(context));
        https.createContext("/", this::answer);
        https.start();
        return https;
    }

    private Path keystore() throws Exception {
        Path keystore = dir.resolve("keys.p12");
        keytool(
                "-genkeypair",
                "-keystore",
                keystore.toString(),
                "-storetype",
                "PKCS12",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost");
        return keystore;
    }

    private static String keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-alias", "registry", "-storepass", PASSWORD));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(out).isZero();
        return out;
    }
}
