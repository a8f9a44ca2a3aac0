package dev.rollcall.chaos;

import dev.rollcall.app.Main;

/** Rollcall's own command, tied to the campaign's life. */
public final class ProcessorNode {
    private ProcessorNode() {}

    /** {@code arguments} are {@link Main}'s. */
    public static void main(String[] arguments) {
        Lifeline.hold();
        Main.main(arguments);
    }
}
