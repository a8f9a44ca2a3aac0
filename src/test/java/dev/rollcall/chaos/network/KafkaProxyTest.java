package dev.rollcall.chaos.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.EndTxnRequest;
import org.apache.kafka.common.requests.EndTxnResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KafkaProxyTest {
    private static final short VERSION = 5;
    private static final Duration SOON = Duration.ofSeconds(5);

    private final Holds holds = new Holds();
    private final FakeBroker broker = new FakeBroker();
    private final KafkaProxy proxy = new KafkaProxy(broker.address(), holds);

    KafkaProxyTest() throws IOException {}

    @AfterEach
    void close() throws IOException {
        proxy.close();
        broker.close();
    }

    @Test
    void shouldPassOnRequestsAndAnswersAsTheyAre() throws IOException {
        try (Socket client = connect()) {
            send(client, "one", 7);

            assertThat(correlationIdOfAnswer(client)).isEqualTo(7);
            assertThat(broker.requests)
                    .singleElement()
                    .satisfies(frame -> assertThat(frame.contains("one")).isTrue());
        }
    }

    @Test
    void shouldLetARequestThroughLateWhenItWasHeldAndTheClientHasTriedAgain() throws Exception {
        Hold hold = new Hold(frame -> frame.apiKey() == ApiKeys.END_TXN.id && frame.contains("one"));
        holds.add(hold);
        try (Socket client = connect()) {
            client.setSoTimeout(200);
            send(client, "one", 1);
            assertThat(hold.awaitRequest(SOON)).isTrue();
            send(client, "two", 2); // behind it, on the same connection
            assertThatThrownBy(() -> correlationIdOfAnswer(client)).isInstanceOf(SocketTimeoutException.class);
            assertThat(broker.requests).isEmpty();
        }
        try (Socket client = connect()) {
            send(client, "one", 3);
            assertThat(correlationIdOfAnswer(client)).isEqualTo(3);
        }

        assertThat(hold.letThrough().errorCounts()).containsOnlyKeys(Errors.INVALID_PRODUCER_EPOCH);

        assertThat(broker.requests)
                .extracting(frame -> frame.header().correlationId())
                .containsExactly(3, 1);
    }

    @Test
    void shouldEndConnectionsWhenCutAndServeNewOnesWhenMended() throws IOException {
        try (Socket client = connect()) {
            send(client, "one", 1);
            assertThat(correlationIdOfAnswer(client)).isEqualTo(1);

            proxy.cut();

            assertThatThrownBy(() -> correlationIdOfAnswer(client)).isInstanceOf(IOException.class);
        }
        proxy.mend();
        try (Socket client = connect()) {
            send(client, "one", 2);
            assertThat(correlationIdOfAnswer(client)).isEqualTo(2);
        }
    }

    @Test
    void shouldDelayOneWayOnlyWhenTold() throws IOException {
        proxy.delay(Duration.ZERO, Duration.ofMillis(300));
        try (Socket client = connect()) {
            long start = System.nanoTime();
            send(client, "one", 1);
            assertThat(correlationIdOfAnswer(client)).isEqualTo(1);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        socket.setSoTimeout((int) SOON.toMillis());
        return socket;
    }

    private static void send(Socket client, String transactionalId, int correlationId) throws IOException {
        EndTxnRequest request = new EndTxnRequest.Builder(
                        new EndTxnRequestData()
                                .setTransactionalId(transactionalId)
                                .setProducerId(1)
                                .setProducerEpoch((short) 2)
                                .setCommitted(true),
                        true)
                .build(VERSION);
        RequestHeader header = new RequestHeader(ApiKeys.END_TXN, VERSION, "client", correlationId);
        ByteBuffer bytes =
                RequestUtils.serialize(header.data(), header.headerVersion(), request.data(), request.version());
        client.getOutputStream().write(new Frame(remaining(bytes)).withLength());
    }

    private static byte[] remaining(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static int correlationIdOfAnswer(Socket client) throws IOException {
        return Frame.read(new DataInputStream(client.getInputStream())).buffer().getInt();
    }

    /** Answers each request about a transaction with an error. */
    private static final class FakeBroker {
        private final ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        private final List<Frame> requests = new CopyOnWriteArrayList<>();

        private FakeBroker() throws IOException {
            Thread thread = new Thread(this::accept, "fake-broker");
            thread.setDaemon(true);
            thread.start();
        }

        private InetSocketAddress address() {
            return new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
        }

        private void accept() {
            while (!server.isClosed()) {
                try {
                    Socket client = server.accept();
                    Thread thread = new Thread(() -> serve(client), "fake-broker-connection");
                    thread.setDaemon(true);
                    thread.start();
                } catch (IOException e) {
                    // closed
                }
            }
        }

        private void serve(Socket client) {
            try (client) {
                DataInputStream in = new DataInputStream(client.getInputStream());
                while (true) {
                    Frame request = Frame.read(in);
                    requests.add(request);
                    EndTxnResponse response = new EndTxnResponse(
                            new EndTxnResponseData().setErrorCode(Errors.INVALID_PRODUCER_EPOCH.code()));
                    RequestHeader header = request.header();
                    ByteBuffer bytes = RequestUtils.serialize(
                            header.toResponseHeader().data(),
                            header.toResponseHeader().headerVersion(),
                            response.data(),
                            header.apiVersion());
                    client.getOutputStream().write(new Frame(remaining(bytes)).withLength());
                }
            } catch (IOException e) {
                // the client has gone
            }
        }

        private void close() throws IOException {
            server.close();
        }
    }
}
