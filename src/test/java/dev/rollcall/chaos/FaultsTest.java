package dev.rollcall.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FaultsTest {
    private static final List<Fault> KINDS = Faults.all(true, true);

    @Test
    void shouldComeOnceEachBeforeAnyComesAgainWhenDrawn() {
        List<Fault> drawn = Faults.draw(KINDS, 2 * KINDS.size() + 3, new Random(1));

        assertThat(drawn).hasSize(2 * KINDS.size() + 3);
        assertThat(new HashSet<>(drawn.subList(0, KINDS.size()))).hasSameElementsAs(KINDS);
        assertThat(new HashSet<>(drawn.subList(KINDS.size(), 2 * KINDS.size()))).hasSameElementsAs(KINDS);
    }

    @Test
    void shouldBeTheSameWhenTheSeedIsTheSame() {
        assertThat(Faults.draw(KINDS, 10, new Random(7))).isEqualTo(Faults.draw(KINDS, 10, new Random(7)));
        assertThat(Faults.draw(KINDS, 10, new Random(7))).isNotEqualTo(Faults.draw(KINDS, 10, new Random(8)));
    }

    @Test
    void shouldHaveANameOfItsOwnWhenItIsAFault() {
        List<String> names = Stream.of(KINDS, NetworkFaults.ALL, ProxyFaults.ALL)
                .flatMap(List::stream)
                .map(Fault::kind)
                .toList();

        assertThat(names).doesNotHaveDuplicates();
    }
}
