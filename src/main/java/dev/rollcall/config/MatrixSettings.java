package dev.rollcall.config;

import java.net.URI;

/**
 * The settings of the receiver beside a Matrix homeserver.
 *
 * @param host the address that it listens on, for both
 * @param port of HTTP; 0: any free one
 * @param syslogPort of the access log, over UDP; 0: any free one
 * @param homeserver where access tokens are looked up; without a path
 * @param shard its name in heartbeats, 1 to 255 bytes
 * @param lookups how many access tokens one address may have looked up, per second over ten seconds
 */
public record MatrixSettings(String host, int port, int syslogPort, URI homeserver, String shard, int lookups) {}
