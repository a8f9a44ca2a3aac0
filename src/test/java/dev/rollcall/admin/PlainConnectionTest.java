package dev.rollcall.admin;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rollcall.config.ConfigException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a broker answers to a first request without TLS, and what is made of it. */
class PlainConnectionTest {
    private static final byte[] ALERT_OF_TLS = {0x15, 0x03, 0x03, 0, 2, 2, 80};
    private static final byte[] ANSWER_OF_KAFKA = {0, 0, 1, 0x15, 0, 0, 0, 0};

    private ServerSocket broker;
    private String server;

    @BeforeEach
    void listen() throws IOException {
        broker = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        server = "localhost:" + broker.getLocalPort();
    }

    @AfterEach
    void close() throws IOException {
        broker.close();
    }

    @ParameterizedTest
    @CsvSource({"PLAINTEXT, SSL or SASL_SSL", "sasl_plaintext, SASL_SSL"})
    void shouldSayThatTheBrokerWantsTlsWhenItAnswersWithItsAlert(String protocol, String wanted) {
        answer(ALERT_OF_TLS);
        assertThatThrownBy(
                        () -> PlainConnection.require("localhost:1," + server, Map.of("security.protocol", protocol)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(server)
                .hasMessageContaining("kafka.security.protocol")
                .hasMessageContaining("set it to " + wanted);
    }

    @Test
    void shouldLetPassWhenTheBrokerAnswersAsKafka() {
        answer(ANSWER_OF_KAFKA);
        assertThatCode(() -> PlainConnection.require(server, Map.of())).doesNotThrowAnyException();
    }

    @Test
    void shouldAskNobodyWhenTlsIsSet() {
        answer(ALERT_OF_TLS);
        assertThatCode(() -> PlainConnection.require(server, Map.of("security.protocol", "SASL_SSL")))
                .doesNotThrowAnyException();
    }

    @Test
    void shouldLeaveItToKafkasClientsWhenNobodyAnswers() throws IOException {
        broker.close();
        assertThatCode(() -> PlainConnection.require(server + ", nonsense", Map.of()))
                .doesNotThrowAnyException();
    }

    private void answer(byte[] bytes) {
        Thread thread = new Thread(() -> {
            try (Socket client = broker.accept()) {
                int unused = client.getInputStream().read();
                client.getOutputStream().write(bytes);
                client.shutdownOutput();
                while (client.getInputStream().read() >= 0) {
                    // until it is closed, so that it gets the answer and no reset
                }
            } catch (IOException e) {
                // the test is over
            }
        });
        thread.setDaemon(true);
        thread.start();
    }
}
