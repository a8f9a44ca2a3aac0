package dev.rollcall.simulation.judge;

import dev.rollcall.simulation.judge.Violation.Kind;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What is known of one user: the readings that the rules leave, and what was published last. */
final class User {
    /** So many readings of one user are followed. The rules give two or three; nobody has seen more than eight. */
    private static final int MAX_VARIANTS = 64;

    /** A step that is made for each reading, and in each way that the rules leave. */
    interface Step {
        void apply(Variant variant, Choices choices);
    }

    final Key key;
    final OrderCheck.Memory order = new OrderCheck.Memory();
    private final Agenda agenda;
    private final Report report;
    private List<Variant> variants = new ArrayList<>(List.of(new Variant()));
    private @Nullable Presence published;
    private long lookAt = Long.MAX_VALUE;
    /** The readings before the last sweep, while nothing that it ended is published, and nothing else was read of the user. */
    private List<Variant> unswept = List.of();
    /** In the brokers' time: the last text or flag. */
    private long lastFact = Variant.NEVER;

    User(Key key, Agenda agenda, Report report) {
        this.key = key;
        this.agenda = agenda;
        this.report = report;
    }

    List<Variant> variants() {
        return variants;
    }

    @Nullable
    Presence published() {
        return published;
    }

    /** A tick at or after this instant may end something. */
    void lookAt(long at) {
        if (at < lookAt) {
            lookAt = at;
            agenda.add(this, at);
        }
    }

    /** Whether a tick at this instant would have to look. */
    boolean isDue(long at) {
        return lookAt <= at;
    }

    /** A clock tick ends something, which is to be published in the sweep after it. */
    void sweep(Step step) {
        List<Variant> before = new ArrayList<>();
        if (!isOwed()) {
            variants.forEach(variant -> before.add(variant.copy()));
        }
        branch(step);
        unswept = isOwed() ? before : List.of();
    }

    /**
     * A take-over before a sweep was done: the next processor finds those devices in the store as they were, and gives them one
     * lease (promise 4). Nothing says whether the sweep got as far as this user.
     */
    void reviveUnswept() {
        variants.addAll(unswept);
        unswept = List.of();
    }

    /** Whether an entry of the agenda still counts; it counts once. */
    boolean takeLook(long at) {
        if (at != lookAt) {
            return false;
        }
        lookAt = Long.MAX_VALUE;
        return true;
    }

    void branch(Step step) {
        List<Variant> next = new ArrayList<>(variants.size());
        for (Variant variant : variants) {
            Choices choices = new Choices();
            do {
                Variant copy = variant.copy();
                step.apply(copy, choices);
                if (next.size() < MAX_VARIANTS) {
                    addNew(next, copy);
                }
            } while (choices.advance());
        }
        variants = next;
    }

    private static void addNew(List<Variant> all, Variant added) {
        for (Variant variant : all) {
            if (variant.sameAs(added)) {
                variant.widen(added);
                return;
            }
        }
        all.add(added);
    }

    /** Keeps the readings that what was seen allows; where it allows none, the first stands and false is returned. */
    private boolean keep(Predicate<Variant> allowed) {
        List<Variant> kept = new ArrayList<>(variants.size());
        for (Variant variant : variants) {
            if (allowed.test(variant)) {
                kept.add(variant);
            }
        }
        if (kept.isEmpty()) {
            return false;
        }
        variants = kept;
        return true;
    }

    boolean isSurelyHidden() {
        return variants.stream().allMatch(variant -> variant.hidden);
    }

    boolean isPossiblyHidden() {
        return variants.size() == 1 ? variants.get(0).hidden : variants.stream().anyMatch(variant -> variant.hidden);
    }

    boolean hasDeviceOf(Session session) {
        for (Variant variant : variants) {
            for (Device device : variant.devices) {
                if (device.session == session) {
                    return true;
                }
            }
        }
        return false;
    }

    boolean isOwed() {
        for (Variant variant : variants) {
            if (!variant.pending.isEmpty()) {
                return true;
            }
        }
        return false;
    }

    /** Rule 11: nothing was published of the user, who may have been dropped without a tombstone. */
    boolean maybeForgotten(long stamp, long retentionMs) {
        boolean maybe = published == null && lastFact != Variant.NEVER && stamp - lastFact >= retentionMs;
        lastFact = Math.max(lastFact, stamp);
        return maybe;
    }

    /** The last heartbeat was refused, or not, as one device too many (rule 12). */
    void refused(boolean refused) {
        Variant first = variants.get(0);
        if (!refused && variants.size() == 1 && !first.refuses) {
            first.mayRefuse = false;
            return;
        }
        if (!keep(variant -> refused ? variant.refuses || variant.mayRefuse : !variant.refuses)) {
            report.add(
                    Kind.DEAD_LETTER,
                    key,
                    refused
                            ? "a heartbeat was refused as one of too many devices, of which there are "
                                    + first.devices.size() + " (rule 12)"
                            : "the heartbeat of one more device than " + first.devices.size()
                                    + " was not refused (rule 12)");
        }
        for (Variant variant : variants) {
            variant.refuses = false;
            variant.mayRefuse = false;
        }
    }

    void publish(Presence presence) {
        checkSequence(presence);
        unswept = List.of();
        Variant first = variants.get(0);
        if (keep(variant -> fits(variant, presence))) {
            for (Variant variant : variants) {
                took(variant, presence);
            }
        } else {
            explain(first, presence);
        }
        published = presence;
    }

    private void checkSequence(Presence presence) {
        long sequence = published == null ? 1 : published.sequence() + 1;
        if (presence.sequence() != sequence) {
            report.add(
                    Kind.SEQUENCE, key, "sequence " + presence.sequence() + " instead of " + sequence + " (rule 10)");
        }
        State previous = published == null ? null : published.state();
        if (presence.previousState() != previous) {
            report.add(
                    Kind.SEQUENCE,
                    key,
                    "previous_state " + presence.previousState() + " instead of " + previous + " (rule 10)");
        }
    }

    private boolean fits(Variant variant, Presence presence) {
        Expected expected = variant.pending.peek();
        return expected != null && Fit.misfit(expected, presence, published) == null;
    }

    private static void took(Variant variant, Presence presence) {
        Expected expected = variant.pending.remove();
        Long active = presence.lastActive();
        if (variant.activeHi == expected.activeHi() && active != null) {
            // What was published is what Rollcall knows, and it cannot become more without another heartbeat.
            variant.activeLo = Math.max(variant.activeLo, active);
            variant.activeHi = Math.max(variant.activeLo, Math.min(variant.activeHi, active));
        }
    }

    private void explain(Variant first, Presence presence) {
        Expected expected = first.pending.peek();
        boolean sameSight = expected != null
                && expected.state() == presence.state()
                && Objects.equals(expected.text(), presence.text());
        if (sameSight) {
            Kind kind = Objects.requireNonNull(Fit.misfit(expected, presence, published));
            report.add(kind, key, Fit.said(presence) + " instead of " + Fit.wanted(expected) + " (rule 10)");
            keep(variant -> variant == first);
            first.pending.remove();
            return;
        }
        report.add(
                kindOf(first, expected, presence),
                key,
                Fit.said(presence) + " instead of "
                        + (expected == null
                                ? "nothing; visible are " + first.visible() + ", " + first.text
                                : Fit.wanted(expected)));
        keep(variant -> variant == first);
        resume(first, presence);
    }

    private static Kind kindOf(Variant first, @Nullable Expected expected, Presence presence) {
        State right = expected == null ? first.visible() : expected.state();
        if (first.hidden && presence.state() != State.OFFLINE) {
            return Kind.HIDDEN_SHOWN;
        }
        if (presence.state() != right) {
            return Kind.FALSE_STATE;
        }
        return Objects.equals(presence.text(), expected == null ? first.text : expected.text())
                ? Kind.UNEXPLAINED
                : Kind.WRONG_TEXT;
    }

    /** After a violation the judge goes on from what others have been shown. */
    private static void resume(Variant variant, @Nullable Presence shown) {
        variant.pending.clear();
        variant.shown = shown == null ? State.OFFLINE : shown.state();
        variant.shownText = shown == null ? null : shown.text();
        variant.everShown = shown != null;
    }

    /** The record that was handled last is done: what it changed must have been published by now. */
    void settle() {
        unswept = List.of();
        if (variants.size() == 1 && variants.get(0).pending.isEmpty()) {
            return;
        }
        drop(Long.MIN_VALUE, Kind.LOST);
    }

    /** A clock tick is handled: what one before it ended must have been published by now. */
    void overdue(long tick) {
        unswept = List.of();
        drop(tick, Kind.GHOST);
    }

    private void drop(long tick, Kind kind) {
        Variant first = variants.get(0);
        if (!keep(variant -> !owes(variant, tick))) {
            report.add(kind, key, "not published: " + Fit.wanted(Objects.requireNonNull(first.pending.peek())));
            keep(variant -> variant == first);
            resume(first, published);
        }
    }

    private static boolean owes(Variant variant, long tick) {
        for (Expected expected : variant.pending) {
            if (tick == Long.MIN_VALUE ? expected.dueTick() == Expected.AT_ONCE : expected.dueTick() <= tick) {
                return true;
            }
        }
        return false;
    }

    /** Rule 11: a tombstone. {@code now} is the brokers' time. */
    void forget(long timestamp, long now, long retentionMs) {
        Presence last = published;
        if (last == null) {
            report.add(Kind.WRONGLY_FORGOTTEN, key, "a tombstone of a user of whom nothing was published (rule 11)");
            return;
        }
        boolean right = false;
        for (Variant variant : variants) {
            // Where stamps step back, the last record may be stamped later than what it tells of.
            long lo = Math.max(variant.quietLo, last.timestamp()) + retentionMs;
            long hi = Math.max(variant.quietHi, last.timestamp()) + retentionMs;
            right |= variant.hasNothing()
                    && variant.pending.isEmpty()
                    && lo <= timestamp
                    && timestamp <= hi
                    && timestamp <= now;
        }
        if (!right) {
            Variant first = variants.get(0);
            report.add(
                    Kind.WRONGLY_FORGOTTEN,
                    key,
                    "a tombstone stamped " + timestamp + " at " + now + "; OFFLINE, without a text, not hidden: "
                            + first.hasNothing() + ", since " + first.quietLo + " (rule 11)");
        }
        Variant fresh = new Variant();
        if (!right) {
            fresh.devices.addAll(variants.get(0).devices);
        }
        variants = new ArrayList<>(List.of(fresh));
        published = null;
    }

    /** All is committed, and nothing more comes. */
    void end() {
        Variant first = variants.get(0);
        if (!keep(variant -> variant.pending.isEmpty())) {
            report.add(
                    Kind.NOT_CONVERGED,
                    key,
                    "not published at the end: " + Fit.wanted(Objects.requireNonNull(first.pending.peek())));
            return;
        }
        Iterator<Variant> left = variants.iterator();
        Variant variant = left.next();
        State state = published == null ? State.OFFLINE : published.state();
        String text = published == null ? null : published.text();
        if (variant.visible() != state || !Objects.equals(variant.text, text)) {
            report.add(
                    Kind.NOT_CONVERGED,
                    key,
                    "the last record has " + state + ", " + text + ", the user has " + variant.visible() + ", "
                            + variant.text + " (promise 5)");
        }
    }
}
