/** What the HTTP edge reads and writes: presence, at whichever instance has it, and the clients' events. */
@NullMarked
package dev.rollcall.gateway;

import org.jspecify.annotations.NullMarked;
