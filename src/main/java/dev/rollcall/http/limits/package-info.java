/** What one client may use of the HTTP server: connections, the time to ask something, writes and ids. Knows no presence. */
@NullMarked
package dev.rollcall.http.limits;

import org.jspecify.annotations.NullMarked;
