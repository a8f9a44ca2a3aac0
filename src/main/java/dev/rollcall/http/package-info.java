/** The HTTP edge: routes, who may call them, event streams, the page. Knows no Kafka: the gateway does. */
@NullMarked
package dev.rollcall.http;

import org.jspecify.annotations.NullMarked;
