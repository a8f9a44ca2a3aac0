/** Sending events to Rollcall and reading presence from it; no Kafka type in what callers see. */
@NullMarked
package dev.rollcall.gateway;

import org.jspecify.annotations.NullMarked;
