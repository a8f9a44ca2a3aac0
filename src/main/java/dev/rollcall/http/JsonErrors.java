package dev.rollcall.http;

import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** What the HTTP server refuses before anybody here is asked, in the shape of all other errors, and without its reasons. */
final class JsonErrors extends ErrorHandler {
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        Router.write(Reply.error(ApiException.ofStatus(response.getStatus())), response, callback);
        return true;
    }
}
