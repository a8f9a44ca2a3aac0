package dev.rollcall.http.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/**
 * Whether a request was made by a program of this machine, where there are no tokens and the server listens on a loopback
 * address. Whoever connects does; what is to be noticed is who is led here or passed on: a page of another site in a browser on
 * this machine, a name that another site resolves to a loopback address, and a proxy, behind which anybody may be.
 */
final class Loopback {
    private static final Pattern IPV4 = Pattern.compile("127(\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}");

    private static final String FORWARDED_PREFIX = "x-forwarded-";

    /** What proxies add, in lower case. */
    private static final Set<String> FORWARDED = Set.of(
            "forwarded",
            "via",
            "x-real-ip",
            "x-client-ip",
            "x-cluster-client-ip",
            "x-original-forwarded-for",
            "x-envoy-external-address",
            "true-client-ip",
            "cf-connecting-ip",
            "fastly-client-ip");

    private Loopback() {}

    /** Whether this is a name or an address of the loopback interface, as a URL has it: IPv6 in brackets. Asks no resolver. */
    static boolean isNamed(String host) {
        if (host.equalsIgnoreCase("localhost") || IPV4.matcher(host).matches()) {
            return true;
        }
        try {
            return host.startsWith("[") && InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /**
     * Refuses what does not come from this machine.
     *
     * @param originIsAllowed whether the request comes from no page, or from our own
     */
    static void require(Request request, boolean originIsAllowed) {
        HttpFields headers = request.getHeaders();
        for (String name : headers.getFieldNamesCollection()) {
            String lower = name.toLowerCase(Locale.ROOT);
            if (FORWARDED.contains(lower) || lower.startsWith(FORWARDED_PREFIX)) {
                throw behindProxy("the header " + (FORWARDED.contains(lower) ? lower : FORWARDED_PREFIX + "*"));
            }
        }
        if (request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_1_0) {
            throw behindProxy("HTTP/1.0"); // nginx adds no header by default, but speaks this
        }
        List<String> sites = headers.getValuesList("Sec-Fetch-Site");
        boolean crossSite = sites.stream().anyMatch(site -> !site.equals("same-origin") && !site.equals("none"));
        if (!originIsAllowed || crossSite || !isNamed(hostName(headers.get("Host")))) {
            throw ApiException.forbidden("without http.jwt.key this is for this machine alone");
        }
    }

    private static String hostName(@Nullable String host) {
        return host == null ? "" : host.replaceFirst(":\\d*$", "");
    }

    private static ApiException behindProxy(String sign) {
        return ApiException.forbidden(
                ("this request came through a proxy (%s), behind which anybody may be, and without"
                                + " http.jwt.key this is for this machine alone: set http.jwt.key, and give callers tokens")
                        .formatted(sign));
    }
}
