/** The program: commands, wiring, lifecycle. Only this package creates a KafkaStreams or ends the process. */
@NullMarked
package dev.rollcall.app;

import org.jspecify.annotations.NullMarked;
