package dev.rollcall.chaos;

import dev.rollcall.chaos.Variant.Patch;
import dev.rollcall.chaos.check.Window.Reach;
import dev.rollcall.chaos.network.Hold;
import dev.rollcall.chaos.network.KafkaProxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * What proxies in front of all brokers can do: let a processor's requests about a transaction arrive when it has long begun
 * another one, and slow down or cut links.
 */
final class ProxyFaults {
    private static final int ROUNDS = 6;
    private static final Duration SENT_WITHIN = Duration.ofSeconds(20);

    private static final Fault ENDS = fault("held: ends of transactions", ApiKeys.END_TXN);

    static final List<Fault> ALL = List.of(
            ENDS,
            fault("held: offsets added to transactions", ApiKeys.TXN_OFFSET_COMMIT),
            new Fault("links: requests take long", (campaign, random) -> slow(campaign, random, true)),
            new Fault("links: answers take long", (campaign, random) -> slow(campaign, random, false)),
            new Fault("links: all to a broker cut again and again", ProxyFaults::cut));

    /** The positive control: brokers that end a transaction by the request that was meant for the one before. */
    static final Variant OLD_PROTOCOL = new Variant(
            "old-transactions",
            "it starts on a cluster whose transactions are those before KIP-890",
            List.of(new Patch("dev/rollcall/contract/FeatureContract.java", "short SAFE = 2;", "short SAFE = 0;")),
            Map.of(BrokerNode.TRANSACTION_VERSION, "1"),
            Map.of(),
            true,
            brokers -> {},
            List.of(ENDS, ENDS, ENDS));

    private ProxyFaults() {}

    private static Fault fault(String kind, ApiKeys held) {
        return new Fault(kind, Reach.PROCESSORS, ROUNDS, (campaign, random) -> hold(campaign, random, held));
    }

    private static String hold(Campaign campaign, Random random, ApiKeys kind) throws Exception {
        Map<String, Integer> answers = new TreeMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            Hold hold = new Hold(frame -> frame.apiKey() == kind.id);
            campaign.proxies().holds().add(hold);
            boolean isHeld = hold.awaitRequest(SENT_WITHIN);
            campaign.proxies().holds().remove(hold);
            if (isHeld) {
                // The processor tries again, and is well in another transaction by then.
                campaign.sleep(Site.HELD_REQUEST.plus(Faults.between(random, 100, 1_000)));
                answers.merge(hold.letThrough().errorCounts().keySet().toString(), 1, Integer::sum);
            }
        }
        return "%d of them, answered late with %s"
                .formatted(answers.values().stream().mapToInt(times -> times).sum(), answers);
    }

    /** One way only: the other way is as fast as ever. */
    private static String slow(Campaign campaign, Random random, boolean requests) throws InterruptedException {
        Duration delay = Faults.between(random, 100, Site.HELD_REQUEST.toMillis());
        for (int id : Brokers.IDS) {
            campaign.proxies().proxy(id).delay(requests ? delay : Duration.ZERO, requests ? Duration.ZERO : delay);
        }
        campaign.sleep(Faults.between(random, 5_000, 12_000));
        for (int id : Brokers.IDS) {
            campaign.proxies().proxy(id).delay(Duration.ZERO, Duration.ZERO);
        }
        return "%d ms each".formatted(delay.toMillis());
    }

    private static String cut(Campaign campaign, Random random) throws InterruptedException {
        int id = Brokers.IDS.get(random.nextInt(Brokers.IDS.size()));
        KafkaProxy proxy = campaign.proxies().proxy(id);
        int times = 3 + random.nextInt(4);
        for (int time = 0; time < times; time++) {
            proxy.cut();
            campaign.sleep(Faults.between(random, 10, 2_000));
            proxy.mend();
            campaign.sleep(Faults.between(random, 10, 2_000));
        }
        return "broker %d, %d times".formatted(id, times);
    }
}
