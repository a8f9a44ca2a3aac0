package dev.rollcall.simulate;

/** What a kind of device tends to do next. The figures are made up to look like life, not measured. */
enum Habit {
    /** Used for long, then left alone, and shut down for the night. */
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

    /** Looked at often and briefly, asleep in between, and on the move. */
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

    /** Always there, but for a restart now and then. */
    BOT {
        @Override
        Mode next(Mode now, double dice, double awake) {
            return now == Mode.ACTIVE && dice < 0.02 ? Mode.TUNNEL : Mode.ACTIVE;
        }
    };

    /**
     * What comes after {@code now}.
     *
     * @param dice 0 to 1
     * @param awake how likely the user is awake, 0 to 1
     */
    abstract Mode next(Mode now, double dice, double awake);

    /** How likely somebody is awake at this hour of their day, 0 to 24: least at 4 in the morning, most at 4 later. */
    static double awake(double hour) {
        return 0.5 - 0.45 * Math.cos((hour - 4) * Math.PI / 12);
    }
}
