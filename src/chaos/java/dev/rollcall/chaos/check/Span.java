package dev.rollcall.chaos.check;

/** An instant of which only bounds are known, both included, in ms since the epoch. */
record Span(long lo, long hi) {
    static final Span NEVER = new Span(Long.MIN_VALUE, Long.MIN_VALUE);

    static Span at(long instant) {
        return new Span(instant, instant);
    }

    /** The later of two instants. */
    Span or(Span other) {
        return new Span(Math.max(lo, other.lo), Math.max(hi, other.hi));
    }

    /** Either of two. */
    Span join(Span other) {
        return new Span(Math.min(lo, other.lo), Math.max(hi, other.hi));
    }

    Span notAfter(long limit) {
        return new Span(Math.min(lo, limit), Math.min(hi, limit));
    }

    Span plus(long ms) {
        return new Span(lo + ms, hi + ms);
    }

    boolean contains(long instant) {
        return lo <= instant && instant <= hi;
    }

    boolean isExact() {
        return lo == hi;
    }

    @Override
    public String toString() {
        return isExact() ? Long.toString(lo) : lo + ".." + hi;
    }
}
