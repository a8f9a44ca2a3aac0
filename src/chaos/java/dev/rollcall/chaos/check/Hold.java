package dev.rollcall.chaos.check;

/**
 * That a session holds a device (rule 14). Times in ms by the partition's time.
 *
 * @param offset of the heartbeat by which the session came to hold it
 * @param openedAt the time of that heartbeat
 * @param lastRecord the time of the device's last one
 */
record Hold(Session session, long offset, long openedAt, long lastRecord) {
    /** One life of a shard. */
    record Session(String shard, String id) {
        @Override
        public String toString() {
            return shard + "/" + id;
        }
    }

    Hold withLastRecord(long time) {
        return new Hold(session, offset, openedAt, Math.max(lastRecord, time));
    }

    @Override
    public String toString() {
        return "held by %s since offset %d".formatted(session, offset);
    }
}
