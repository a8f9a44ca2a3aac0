/** Counts and gauges, as Prometheus reads them. Alone imports Micrometer. */
@NullMarked
package dev.rollcall.metrics;

import org.jspecify.annotations.NullMarked;
