package dev.rollcall.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Blocks of all sizes, also larger than a slab, come and go: none lies on another, and what is free is used again. */
class SlabsTest {
    private final Slabs slabs = new Slabs();

    @Test
    void shouldKeepBlocksApartWhenTheyComeAndGo() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Map<Integer, byte[]> blocks = new HashMap<>();
        for (int step = 0; step < 20_000; step++) {
            if (blocks.size() < 1_000 || random.nextBoolean()) {
                byte[] content =
                        new byte[random.nextInt(100) == 0 ? random.nextInt(4, 400_000) : random.nextInt(4, 300)];
                random.nextBytes(content);
                int address = slabs.allocate(content.length);
                System.arraycopy(content, 0, slabs.slab(address), Slabs.offset(address), content.length);
                assertThat(blocks.put(address, content))
                        .as("seed %d, step %d", seed, step)
                        .isNull();
            } else {
                int address = blocks.keySet().iterator().next();
                byte[] content = Objects.requireNonNull(blocks.remove(address));
                int at = Slabs.offset(address);
                assertThat(Arrays.copyOfRange(slabs.slab(address), at, at + content.length))
                        .as("seed %d, step %d", seed, step)
                        .isEqualTo(content);
                slabs.free(address, content.length);
            }
        }
    }

    @Test
    void shouldUseABlockAgainWhenItIsFree() {
        int address = slabs.allocate(150);
        slabs.free(address, 150);
        assertThat(slabs.allocate(151)).isEqualTo(address);
    }

    @Test
    void shouldBeMostlyFreeWhenMostHasGone() {
        int[] addresses = new int[20_000];
        Arrays.setAll(addresses, i -> slabs.allocate(150));
        assertThat(slabs.isMostlyFree()).isFalse();
        for (int i = 0; i < 12_000; i++) {
            slabs.free(addresses[i], 150);
        }
        assertThat(slabs.isMostlyFree()).isTrue();
    }
}
