package dev.rollcall.chaos.check;

/** How present a device or a user is; the higher one wins. */
enum State {
    OFFLINE,
    IDLE,
    ONLINE
}
