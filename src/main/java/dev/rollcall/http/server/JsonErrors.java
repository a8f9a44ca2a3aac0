package dev.rollcall.http.server;

import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Gives the errors that Jetty answers by itself the shape of all other errors, without their details. */
final class JsonErrors extends ErrorHandler {
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        Reply.write(Reply.error(ApiException.ofStatus(response.getStatus())), response, callback);
        return true;
    }
}
