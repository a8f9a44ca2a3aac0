package dev.rollcall.config;

import java.net.InetAddress;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What one client of the HTTP edge may use, and how the edge ends.
 *
 * @param connectionsPerAddress how many connections an address may have open
 * @param proxies addresses that may have any number of them
 * @param headersMs how long a client may take from the connection to the end of its first request's headers, in ms
 * @param healthPort the port for health alone, 0: any free one; empty: there is none
 * @param drainMs how long the edge goes on serving once it has been told to stop, in ms
 * @param device of each device's token
 * @param user of all tokens of one user
 * @param service of each service's token, and of this machine where there are no tokens
 */
public record HttpLimits(
        int connectionsPerAddress,
        Set<InetAddress> proxies,
        long headersMs,
        OptionalInt healthPort,
        long drainMs,
        Rates device,
        Rates user,
        Rates service) {
    /** How many records may be written and how many users' presence asked for, each per second over ten seconds. */
    public record Rates(int writes, int ids) {}
}
