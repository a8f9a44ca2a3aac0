package dev.rollcall.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.domain.UserId;
import dev.rollcall.gateway.PartitionOwners.Address;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Reads the presence of any user from the instance that owns the user: from this instance's store, or over HTTP, with one
 * request per owner. A request is forwarded once at most: during a rebalance two instances can each take the other for the
 * owner, and would forward it for ever. Thread-safe.
 */
public final class PresenceReader {
    /** Header of a forwarded request, which is answered from this instance's store or refused. */
    public static final String FORWARDED = "Rollcall-Forwarded";

    /** The route that a request is forwarded to. */
    public static final String QUERY_PATH = "/v2/presence/query";

    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(2);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(4);
    private static final JsonMapper MAPPER = new JsonMapper();

    private final PartitionOwners owners;
    private final Supplier<String> authorization;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_WITHIN)
            .build();

    /**
     * Reads by way of {@code owners}.
     *
     * @param authorization makes the {@code Authorization} header of forwarded requests; empty: they have none
     */
    public PresenceReader(PartitionOwners owners, Supplier<String> authorization) {
        this.owners = owners;
        this.authorization = authorization;
    }

    /**
     * Reads each user's presence as {@link PresenceJson}. Fails as a whole, with an {@link UnavailableException}, if the
     * owner of one of the users cannot answer.
     *
     * @param forwarded whether another instance has forwarded the request
     */
    public CompletableFuture<Map<UserId, ObjectNode>> read(Collection<UserId> users, boolean forwarded) {
        Map<UserId, ObjectNode> found = new HashMap<>();
        Map<Address, List<UserId>> byOwner = new LinkedHashMap<>();
        try {
            for (UserId user : users) {
                Address owner = forwarded ? owners.self() : owners.ownerOf(user);
                if (owner.equals(owners.self())) {
                    found.put(
                            user, PresenceJson.render(user, owners.emitted(user).orElse(null)));
                } else {
                    byOwner.computeIfAbsent(owner, any -> new ArrayList<>()).add(user);
                }
            }
        } catch (UnavailableException e) {
            return CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Map<UserId, ObjectNode>> all = CompletableFuture.completedFuture(found);
        for (var entry : byOwner.entrySet()) {
            // All requests are sent before the first answer is waited for.
            CompletableFuture<Map<UserId, ObjectNode>> asked = forward(entry.getKey(), entry.getValue());
            all = all.thenCombine(asked, (before, more) -> {
                before.putAll(more);
                return before;
            });
        }
        return all;
    }

    private CompletableFuture<Map<UserId, ObjectNode>> forward(Address owner, List<UserId> users) {
        ObjectNode query = MAPPER.createObjectNode();
        ArrayNode ids = query.putArray("user_ids");
        users.forEach(user -> ids.add(user.toString()));
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(owner))
                .timeout(ANSWER_WITHIN)
                .header("Content-Type", "application/json")
                .header(FORWARDED, "1")
                .POST(BodyPublishers.ofByteArray(bytes(query)));
        String header = authorization.get();
        if (!header.isEmpty()) {
            request.header("Authorization", header);
        }
        return http.sendAsync(request.build(), BodyHandlers.ofByteArray()).handle((response, failure) -> {
            if (failure != null) {
                throw new UnavailableException("the instance that owns the user does not answer", failure);
            }
            return presences(response, users);
        });
    }

    private static Map<UserId, ObjectNode> presences(HttpResponse<byte[]> response, List<UserId> users) {
        if (response.statusCode() != 200) {
            throw new UnavailableException(
                    "the instance that owns the user answers with %d".formatted(response.statusCode()));
        }
        Map<UserId, ObjectNode> found = new HashMap<>();
        try {
            for (JsonNode presence : MAPPER.readTree(response.body()).path("presences")) {
                if (presence instanceof ObjectNode object) {
                    found.put(UserId.of(object.path("user_id").asText()), object);
                }
            }
        } catch (java.io.IOException e) {
            throw new UnavailableException("the instance that owns the user answers with something other than JSON", e);
        }
        if (!found.keySet().containsAll(users)) {
            throw new UnavailableException("the instance that owns the user left out some users");
        }
        return found;
    }

    private static URI uri(Address owner) {
        String host = owner.host().contains(":") ? "[" + owner.host() + "]" : owner.host();
        return URI.create("http://%s:%d%s".formatted(host, owner.port(), QUERY_PATH));
    }

    private static byte[] bytes(ObjectNode json) {
        try {
            return MAPPER.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("plain JSON cannot be written", e);
        }
    }
}
