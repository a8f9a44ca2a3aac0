package dev.rollcall.chaos;

import dev.rollcall.chaos.Variant.Patch;
import dev.rollcall.chaos.check.Window.Reach;
import dev.rollcall.chaos.network.Hold;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.protocol.ApiKeys;

/** A processor's requests about its transactions that arrive when it has long begun another one. */
final class HeldFaults {
    private static final int ROUNDS = 6;
    private static final Duration SENT_WITHIN = Duration.ofSeconds(20);

    private static final Fault ENDS = fault("held: ends of transactions", ApiKeys.END_TXN);

    static final List<Fault> ALL =
            List.of(ENDS, fault("held: offsets added to transactions", ApiKeys.TXN_OFFSET_COMMIT));

    /** The positive control: brokers that end a transaction by the request that was meant for the one before. */
    static final Variant OLD_PROTOCOL = new Variant(
            "old-transactions",
            "it starts on a cluster whose transactions are those before KIP-890",
            List.of(new Patch(
                    "dev/rollcall/admin/TransactionVersion.java", "short SAFE = 2;", "short SAFE = 0;")),
            Map.of(BrokerNode.TRANSACTION_VERSION, "1"),
            Map.of(),
            true,
            brokers -> {},
            List.of(ENDS, ENDS, ENDS));

    private HeldFaults() {}

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
}
