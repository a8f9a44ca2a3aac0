package dev.rollcall.bench;

import java.util.Locale;

/**
 * A figure beside what was aimed at. Nothing fails if it is missed: machines differ, as the docs explain.
 *
 * @param decimals with how many of them the figure is printed
 */
record Target(String name, double figure, String sign, double bound, int decimals) {

    static Target atLeast(double bound, String name, double figure) {
        return new Target(name, figure, ">=", bound, 2);
    }

    static Target atMost(double bound, String name, double figure) {
        return new Target(name, figure, "<=", bound, 2);
    }

    /** The same, printed with so many decimals. */
    Target rounded(int to) {
        return new Target(name, figure, sign, bound, to);
    }

    boolean isMet() {
        return sign.equals(">=") ? figure >= bound : figure <= bound;
    }

    @Override
    public String toString() {
        String number = "%," + "." + decimals + "f";
        return String.format(
                Locale.ROOT,
                "%-44s " + number + "   (target: %s " + number + ": %s)",
                name,
                figure,
                sign,
                bound,
                isMet() ? "met" : "missed");
    }
}
