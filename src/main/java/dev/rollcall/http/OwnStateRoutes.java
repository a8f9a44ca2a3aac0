package dev.rollcall.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rollcall.domain.RoutingView.RoutedDevice;
import dev.rollcall.domain.UserId;
import dev.rollcall.http.events.PresenceJson;
import dev.rollcall.http.server.ApiException;
import dev.rollcall.http.server.Call;
import dev.rollcall.http.server.Json;
import dev.rollcall.http.server.Reply;
import dev.rollcall.http.server.Route;
import dev.rollcall.http.server.Route.Access;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Reads what others may not see of a user: only for the user's own devices, and for services. */
final class OwnStateRoutes {
    private final Supplier<Backend> backend;

    OwnStateRoutes(Supplier<Backend> backend) {
        this.backend = backend;
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/v2/users/{user_id}/appear-offline", Access.VALID_TOKEN, this::appearOffline),
                new Route("GET", "/v2/users/{user_id}/devices", Access.VALID_TOKEN, this::devices));
    }

    private CompletionStage<Reply> appearOffline(Call call) {
        UserId user = call.user();
        call.caller().requireUser(user);
        return CompletableFuture.completedFuture(Reply.json(
                Json.object().put("appear_offline", backend.get().ownState().appearsOffline(user))));
    }

    private CompletionStage<Reply> devices(Call call) {
        UserId user = call.user();
        call.caller().requireUser(user);
        List<RoutedDevice> devices = backend.get()
                .ownState()
                .devices(user)
                .orElseThrow(() -> ApiException.notFound("devices are not listed: routing.enabled is false"));
        ObjectNode answer = Json.object();
        ArrayNode all = answer.putArray("devices");
        devices.forEach(device -> all.addObject()
                .put("device_id", device.id())
                .put("state", PresenceJson.name(device.state()))
                .put("since", device.since())
                .put("last_active", device.lastActive())
                .put("lease_until", device.leaseUntil()));
        return CompletableFuture.completedFuture(Reply.json(answer));
    }
}
