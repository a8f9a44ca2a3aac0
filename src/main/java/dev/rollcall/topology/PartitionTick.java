package dev.rollcall.topology;

import dev.rollcall.wire.Inbound;

/** A clock tick on its way to the partition whose clock it is. */
record PartitionTick(int partition, Inbound.ClockTick tick) {}
