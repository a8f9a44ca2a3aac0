package dev.rollcall.simulation.judge;

/** How present a device or user is; the higher one wins (rule 1). */
enum State {
    OFFLINE,
    IDLE,
    ONLINE
}
