package dev.rollcall.chaos.check;

/**
 * What is read to judge one user: their records, and what their partition's users share.
 *
 * @param until when the logs end, by the partition's time in ms
 */
record History(UserLog log, PartitionLog partition, Settings settings, Disturbances disturbances, long until) {
    PartitionClock clock() {
        return partition.clock;
    }

    /**
     * Whether a processor may have been running in that silence: a clock tick was just before it, or a much shorter silence
     * that came behind the last tick; or the record before it
     * may have been the first after a take-over, and a clock tick came as soon as the silence was over, or as soon as the
     * brokers took one.
     */
    boolean mayExtend(PartitionLog.Silence silence) {
        long tickWithin =
                settings.logGapMs() + (disturbances.ofBrokers().contains(silence.to()) ? settings.slackMs() : 0);
        return silence.sinceTickMs() <= settings.logGapMs()
                || silence.isMuchLonger()
                || (silence.untilTickMs() < tickWithin && disturbances.all().contains(silence.from()));
    }
}
