/** The HTTP server: connections, finding the route, who calls, reading requests, JSON, errors. Knows no presence. */
@NullMarked
package dev.rollcall.http.server;

import org.jspecify.annotations.NullMarked;
