/** The HTTP edge: its routes, and the page. Knows no Kafka, which is behind the gateway. */
@NullMarked
package dev.rollcall.http;

import org.jspecify.annotations.NullMarked;
