package dev.rollcall.http;

import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The files of the page, and the OpenAPI and AsyncAPI documents. Each has a route of its own, so that no request names a file. */
final class StaticRoutes {
    /** Nothing is loaded from another origin, and no other page frames this one. */
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** The page's script is {@code /page.js}; that of its shared worker {@code /worker.js}. */
    static final List<String> MODULES =
            List.of("/page.js", "/me.js", "/roster.js", "/life.js", "/api.js", "/worker.js", "/hub.js", "/device.js");

    List<Route> routes() {
        List<Route> all = new ArrayList<>();
        all.add(file("/openapi.json", "/openapi.json", Reply.JSON));
        all.add(file("/asyncapi.json", "/asyncapi.json", Reply.JSON));
        all.add(file("/", "/page/index.html", "text/html; charset=utf-8"));
        all.add(file("/page.css", "/page/page.css", "text/css; charset=utf-8"));
        MODULES.forEach(name -> all.add(file(name, "/page" + name, "text/javascript; charset=utf-8")));
        return all;
    }

    private static Route file(String path, String resource, String contentType) {
        Reply reply = new Reply.Whole(
                200,
                Map.of(
                        "Content-Type",
                        contentType,
                        "Content-Security-Policy",
                        POLICY,
                        "Referrer-Policy",
                        "no-referrer"),
                read(resource));
        return new Route("GET", path, Route.Access.PUBLIC, call -> CompletableFuture.completedFuture(reply));
    }

    private static String read(String resource) {
        try (InputStream in = StaticRoutes.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException(resource + " is missing from the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + resource, e);
        }
    }
}
