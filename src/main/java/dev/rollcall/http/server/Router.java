package dev.rollcall.http.server;

import dev.rollcall.config.HttpSettings;
import dev.rollcall.metrics.RequestMeters;
import dev.rollcall.text.Printable;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds a request's route and caller, runs the action, and writes the reply, or the error once the body has been read. */
final class Router extends Handler.Abstract {
    private static final Logger LOG = LoggerFactory.getLogger(Router.class);

    private final List<Route> routes;
    private final Authenticator authenticator;
    private final HttpSettings settings;
    private final CallerLimits limits;
    private final RequestMeters meters;

    Router(List<Route> routes, Authenticator authenticator, HttpSettings settings, RequestMeters meters) {
        this.routes = routes;
        this.authenticator = authenticator;
        this.settings = settings;
        this.limits = new CallerLimits(settings.limits(), meters);
        this.meters = meters;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        CompletionStage<Reply> reply;
        long begin = System.nanoTime();
        @Nullable Route found = null;
        try {
            boolean originIsAllowed = allowOrigin(request, response);
            List<String> segments = segments(request);
            boolean healthOnly = HttpServer.isForHealth(request);
            List<Route> matching = routes.stream()
                    .filter(route -> route.matches(segments) && (!healthOnly || route.isOfHealth()))
                    .toList();
            if (matching.isEmpty()) {
                throw ApiException.noRoute();
            }
            if (request.getMethod().equals("OPTIONS")) {
                options(matching, response, callback);
                return true;
            }
            Route route = withMethod(request.getMethod(), matching, response);
            found = route;
            requireNoEncoding(request, response);
            Caller caller = route.access() == Route.Access.PUBLIC || healthOnly
                    ? new Caller.Local()
                    : authenticator.caller(request, originIsAllowed);
            reply = route.action().answer(new Call(request, route, segments, caller, limits));
        } catch (RuntimeException e) {
            reply = Body.discard(request).thenCompose(read -> CompletableFuture.failedFuture(e));
        }
        @Nullable Route answered = found;
        var unused = reply.whenComplete((done, failure) -> {
            try {
                Reply answer = failure == null ? done : failed(failure, request.getMethod(), answered);
                int code = answer instanceof Reply.Whole whole ? whole.status() : 200;
                meters.answered(
                        answered == null ? null : answered.method(),
                        answered == null ? null : answered.path(),
                        code,
                        System.nanoTime() - begin);
                Reply.write(answer, response, callback);
            } catch (Throwable e) { // an Error too: the future would swallow it, and the client would wait
                callback.failed(e);
            }
        });
        return true;
    }

    private static List<String> segments(Request request) {
        @Nullable String path = request.getHttpURI().getPath();
        if (path == null || !path.startsWith("/")) {
            throw ApiException.noRoute();
        }
        return Route.segments(path);
    }

    /** Whether the request comes from no page, from our page, or from one of {@code http.cors.origins}, which gets headers. */
    private boolean allowOrigin(Request request, Response response) {
        String origin = request.getHeaders().get("Origin");
        if (origin == null) {
            return true;
        }
        if (settings.corsOrigins().contains("*") || settings.corsOrigins().contains(origin.toLowerCase(Locale.ROOT))) {
            HttpFields.Mutable headers = response.getHeaders();
            headers.put("Access-Control-Allow-Origin", origin);
            headers.put("Vary", "Origin");
            headers.put("Access-Control-Expose-Headers", "Retry-After, Stream-Id, WWW-Authenticate");
            return true;
        }
        String host = request.getHeaders().get("Host");
        try {
            return host != null && host.equalsIgnoreCase(URI.create(origin).getAuthority());
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static void options(List<Route> routes, Response response, Callback callback) {
        HttpFields.Mutable headers = response.getHeaders();
        headers.put("Allow", methods(routes));
        if (headers.contains("Access-Control-Allow-Origin")) {
            headers.put("Access-Control-Allow-Methods", methods(routes));
            headers.put("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID");
            headers.put("Access-Control-Max-Age", "600");
        }
        Reply.write(new Reply.Whole(204, Map.of(), ""), response, callback);
    }

    private static void requireNoEncoding(Request request, Response response) {
        for (String encoding : request.getHeaders().getValuesList(HttpHeader.CONTENT_ENCODING)) {
            if (!encoding.equalsIgnoreCase("identity")) {
                response.getHeaders().put("Accept-Encoding", "identity");
                throw ApiException.encoded();
            }
        }
    }

    /** HEAD is as GET: the server leaves out the body. */
    private static Route withMethod(String method, List<Route> routes, Response response) {
        String wanted = method.equals("HEAD") ? "GET" : method;
        return routes.stream()
                .filter(route -> route.method().equals(wanted))
                .findFirst()
                .orElseThrow(() -> {
                    response.getHeaders().put("Allow", methods(routes));
                    return ApiException.wrongMethod();
                });
    }

    private static String methods(List<Route> routes) {
        return routes.stream()
                .flatMap(route -> route.method().equals("GET") ? Stream.of("GET", "HEAD") : Stream.of(route.method()))
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private static Reply failed(Throwable failure, String method, @Nullable Route route) {
        ApiException error = ApiException.of(failure);
        if (error.status() >= 500 && error.status() != 503) {
            LOG.error("{} {} failed", Printable.of(method), route == null ? "" : route.path(), failure);
        }
        return Reply.error(error);
    }
}
