package dev.rollcall.http.server;

import dev.rollcall.config.HttpLimits;
import dev.rollcall.config.HttpLimits.Rates;
import dev.rollcall.http.limits.RateLimits;
import dev.rollcall.http.limits.RateLimits.Limit;
import dev.rollcall.metrics.RequestMeters;
import java.util.List;
import java.util.function.ToIntFunction;

/** How much each caller may write and ask for. A device has limits of its own, and shares those of its user. */
final class CallerLimits {
    private final HttpLimits settings;
    private final RequestMeters meters;
    private final RateLimits rates = new RateLimits();

    CallerLimits(HttpLimits settings, RequestMeters meters) {
        this.settings = settings;
        this.meters = meters;
    }

    /** Counts records that are to be written. Refuses what is too much. */
    void writes(Caller caller, int records) {
        take(records, limits(caller, "writes", Rates::writes));
    }

    /** Counts users whose presence is asked for. Refuses what is too much. */
    void ids(Caller caller, int users) {
        take(users, limits(caller, "ids", Rates::ids));
    }

    private void take(int amount, List<Limit> limits) {
        long waitMs = amount == 0 ? 0 : rates.take(amount, limits);
        if (waitMs > 0) {
            Limit smallest = limits.get(0);
            meters.limited(smallest.of());
            throw ApiException.tooMany(
                    "too many %s: this token may have %d of them per second over ten seconds, and its user not much more"
                            .formatted(smallest.of(), smallest.perSecond()),
                    waitMs);
        }
    }

    private List<Limit> limits(Caller caller, String of, ToIntFunction<Rates> rate) {
        if (caller instanceof Caller.Device device) {
            return List.of(
                    new Limit(List.of(device.user(), device.device()), of, rate.applyAsInt(settings.device())),
                    new Limit(device.user(), of, rate.applyAsInt(settings.user())));
        }
        // Without a key nobody looks at what a request says of itself: they are all one.
        String token = caller instanceof Caller.Service service ? service.token() : "";
        return List.of(new Limit(token, of, rate.applyAsInt(settings.service())));
    }
}
