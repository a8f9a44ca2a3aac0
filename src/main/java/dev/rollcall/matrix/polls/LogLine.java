package dev.rollcall.matrix.polls;

import java.util.Optional;

/**
 * One line of nginx's access log: a request has ended.
 *
 * @param requestId nginx's {@code $request_id}
 * @param status of the response; 499: the client has closed the connection
 */
public record LogLine(String requestId, int status) {
    private static final int MAX_ID = 128;

    /**
     * Reads a datagram of nginx's syslog (RFC 3164), {@code <190>Nov 30 08:00:00 host nginx: REQUESTID STATUS}, with or without
     * the host. Empty: it is something else.
     */
    public static Optional<LogLine> parse(String datagram) {
        String line = datagram.strip();
        int status = line.lastIndexOf(' ');
        int id = line.lastIndexOf(' ', status - 1);
        if (!line.startsWith("<") || id < 0 || line.charAt(id - 1) != ':' || status - id - 1 > MAX_ID) {
            return Optional.empty();
        }
        String code = line.substring(status + 1);
        return code.length() == 3 && code.chars().allMatch(digit -> digit >= '0' && digit <= '9') && status - id > 1
                ? Optional.of(new LogLine(line.substring(id + 1, status), Integer.parseInt(code)))
                : Optional.empty();
    }
}
