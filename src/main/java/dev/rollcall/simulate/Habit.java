package dev.rollcall.simulate;

/** How a kind of device goes from mode to mode. The probabilities are plausible, not measured. */
enum Habit {
    /** Used for a long time, then left alone, and shut down at night. */
    DESKTOP {
        @Override
        Mode next(Mode now, double dice, double awake) {
            if (now.state == null) {
                return dice < awake ? Mode.ACTIVE : Mode.AWAY;
            }
            if (dice < 0.03) {
                return Mode.VANISHED;
            }
            if (dice < 0.03 + 0.5 * (1 - awake)) {
                return Mode.AWAY;
            }
            return now == Mode.ACTIVE ? Mode.IDLE : Mode.ACTIVE;
        }
    },

    /** Used often and briefly, asleep in between, and sometimes without a network. */
    PHONE {
        @Override
        Mode next(Mode now, double dice, double awake) {
            if (now == Mode.TUNNEL) {
                return Mode.ACTIVE;
            }
            if (now.state == null) {
                return dice < 0.1 + 0.9 * awake ? Mode.ACTIVE : Mode.AWAY;
            }
            if (dice < 0.02) {
                return Mode.VANISHED;
            }
            if (dice < 0.25) {
                return Mode.TUNNEL;
            }
            if (dice < 0.8 - 0.2 * awake) {
                return Mode.AWAY;
            }
            return now == Mode.ACTIVE ? Mode.IDLE : Mode.ACTIVE;
        }
    },

    /** Always online, except for a restart now and then. */
    BOT {
        @Override
        Mode next(Mode now, double dice, double awake) {
            return now == Mode.ACTIVE && dice < 0.02 ? Mode.TUNNEL : Mode.ACTIVE;
        }
    };

    /**
     * The mode after {@code now}.
     *
     * @param dice a random number, 0 to 1
     * @param awake the probability that the user is awake, 0 to 1
     */
    abstract Mode next(Mode now, double dice, double awake);

    /** The probability that a user is awake at this hour of the day, 0 to 24: least at 4, most at 16. */
    static double awake(double hour) {
        return 0.5 - 0.45 * Math.cos((hour - 4) * Math.PI / 12);
    }
}
