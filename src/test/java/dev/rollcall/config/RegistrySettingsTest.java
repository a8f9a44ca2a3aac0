package dev.rollcall.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegistrySettingsTest {
    private static final String URL = "https://registry.example.org/apis/ccompat/v7";

    @Test
    void shouldHaveNoRegistryUnlessOneIsSet() {
        assertThat(RollcallConfig.defaults().registry().isSet()).isFalse();
    }

    @Test
    void shouldHaveWhatIsSet(@TempDir Path dir) throws IOException {
        Path password = Files.writeString(dir.resolve("password"), "s3cret\n");
        RollcallConfig config = of(
                "url", " " + URL + "/ ,http://other:8081",
                "write", "true",
                "user", "rollcall",
                "password.file", password.toString(),
                "truststore.location", "/etc/ca.pem",
                "truststore.type", "pem");

        assertThat(config.registry().urls()).containsExactly(URI.create(URL), URI.create("http://other:8081"));
        assertThat(config.registry().writes()).isTrue();
        assertThat(config.registry().user()).isEqualTo("rollcall");
        assertThat(config.registry().password().bytes()).asString().isEqualTo("s3cret");
        assertThat(config.registry().truststore().type()).isEqualTo("PEM");
        assertThat(config.registry().keystore().isSet()).isFalse();
        assertThat(config.toString()).contains(URL).doesNotContain("s3cret");
    }

    @ParameterizedTest
    @CsvSource({"user, u", "password, p", "truststore.location, t", "keystore.location, k", "write, true"})
    void shouldRefuseARestWithoutAnAddress(String key, String value) {
        assertThatThrownBy(() -> RollcallConfig.of(Map.of("schema.registry." + key, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("schema.registry." + key)
                .hasMessageContaining("schema.registry.url is empty");
    }

    @ParameterizedTest
    @CsvSource({
        "registry:8081",
        "ftp://registry",
        "http://",
        "http://me:s3cret@registry",
        "http://registry?a=b",
        "http://a b"
    })
    void shouldRefuseWhatIsNoAddress(String url) {
        assertThatThrownBy(() -> of("url", url))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("schema.registry.url must be like https://host:port/path")
                .hasMessageNotContaining("s3cret");
    }

    @Test
    void shouldRefuseWhatDoesNotGoTogether() {
        assertThatThrownBy(() -> of("url", URL, "user", "me")).hasMessageContaining("go together");
        assertThatThrownBy(() -> of("url", URL, "password", "it")).hasMessageContaining("go together");
        assertThatThrownBy(() -> of("url", URL, "keystore.type", "BCFKS"))
                .hasMessage("schema.registry.keystore.type must be JKS, PKCS12 or PEM: it is \"BCFKS\"");
        assertThatThrownBy(() -> of("url", URL, "write", "yes"))
                .hasMessageContaining("schema.registry.write must be true or false");
    }

    private static RollcallConfig of(String... keys) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < keys.length; i += 2) {
            all.put("schema.registry." + keys[i], keys[i + 1]);
        }
        return RollcallConfig.of(all);
    }
}
