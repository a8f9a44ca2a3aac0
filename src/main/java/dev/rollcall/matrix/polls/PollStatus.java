package dev.rollcall.matrix.polls;

/** What the status of a poll's response in the access log says of its device. */
enum PollStatus {
    /** nginx's 499: the client has closed the connection. 401: the token is not valid any more. */
    GONE,
    /** The homeserver was not there, or not in time: nothing is said of the device, which may wait before it polls again. */
    FAILED,
    /** It polls again soon. */
    ANSWERED;

    static PollStatus of(int code) {
        return switch (code) {
            case 401, 499 -> GONE;
            case 500, 502, 503, 504 -> FAILED;
            default -> ANSWERED;
        };
    }
}
