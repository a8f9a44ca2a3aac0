/** The program: commands, wiring, lifecycle. The only place that makes a KafkaStreams or ends the process. */
@NullMarked
package dev.rollcall.app;

import org.jspecify.annotations.NullMarked;
