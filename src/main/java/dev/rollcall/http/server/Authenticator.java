package dev.rollcall.http.server;

import dev.rollcall.config.ConfigException;
import dev.rollcall.config.TokenSettings;
import dev.rollcall.http.tokens.InvalidTokenException;
import dev.rollcall.http.tokens.Token;
import dev.rollcall.http.tokens.TokenVerifier;
import java.time.InstantSource;
import java.util.List;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** Finds out who calls: by the bearer token (RFC 6750), or, where there are none, that it is this machine. Thread-safe. */
final class Authenticator {
    private static final String BEARER = "Bearer ";

    private final @Nullable TokenVerifier tokens;

    /**
     * Reads the keys.
     *
     * @throws ConfigException if they cannot be used
     */
    Authenticator(TokenSettings settings) {
        tokens = settings.areRequired() ? new TokenVerifier(settings, InstantSource.system()) : null;
    }

    /**
     * Who makes a request. Throws an {@link ApiException} with what to do if that is not known.
     *
     * @param originIsAllowed whether the request comes from no page, or from one that may make requests
     */
    Caller caller(Request request, boolean originIsAllowed) {
        if (tokens == null) {
            Loopback.require(request, originIsAllowed);
            return new Caller.Local();
        }
        String token = token(request);
        try {
            return caller(tokens.verify(token));
        } catch (InvalidTokenException e) {
            throw ApiException.unknownToken(String.valueOf(e.getMessage()));
        }
    }

    private static String token(Request request) {
        List<String> all = request.getHeaders().getValuesList(HttpHeader.AUTHORIZATION);
        if (all.size() > 1) {
            throw ApiException.invalidAuthorization("there must be one Authorization header, and there are more");
        }
        if (("&" + request.getHttpURI().getQuery()).contains("&access_token=")) {
            throw ApiException.invalidAuthorization(
                    "a token must be in the header Authorization, and not in the URL, which proxies write to their logs");
        }
        String authorization = all.isEmpty() ? "" : all.get(0);
        if (!authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw ApiException.missingToken();
        }
        return authorization.substring(BEARER.length()).strip();
    }

    private static Caller caller(Token token) {
        if (token instanceof Token.OfDevice device) {
            try {
                return new Caller.Device(Ids.user(device.user()), Ids.device(device.device()), device.validUntil());
            } catch (ApiException e) {
                throw ApiException.unknownToken("sub or device_id cannot be used: " + e.text());
            }
        }
        Token.OfService service = (Token.OfService) token;
        return new Caller.Service(service.id(), service.validUntil());
    }
}
