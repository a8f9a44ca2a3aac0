package dev.rollcall.topology;

import dev.rollcall.wire.Inbound;

/** A pulse on its way to the partition whose clock it is. */
record PartitionPulse(int partition, Inbound.Pulse pulse) {}
