package dev.rollcall.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rollcall.config.RollcallConfig;
import dev.rollcall.http.server.Route;
import dev.rollcall.metrics.Meters;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The OpenAPI document and the routes say the same. */
class OpenApiTest {
    private static final Set<String> PAGE = Stream.concat(Stream.of("/", "/page.css"), StaticRoutes.MODULES.stream())
            .map(path -> "GET " + path)
            .collect(Collectors.toSet());

    @Test
    void shouldNameEveryRouteAndNoOther() throws Exception {
        JsonNode document = read();
        Set<String> documented = new TreeSet<>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(operation ->
                                documented.add(operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey())));
        Set<String> served = routes().stream()
                .map(route -> route.method() + " " + route.path())
                .filter(route -> !PAGE.contains(route))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(documented).isEqualTo(served);
    }

    @Test
    void shouldSayWhoMayCallAndNameEveryVariable() throws Exception {
        JsonNode document = read();
        for (Route route : routes()) {
            if (PAGE.contains(route.method() + " " + route.path())) {
                continue;
            }
            JsonNode operation = document.path("paths")
                    .path(route.path())
                    .path(route.method().toLowerCase(Locale.ROOT));
            assertThat(operation.has("security")).as(route.path()).isEqualTo(route.access() == Route.Access.PUBLIC);
            List<String> variables = Pattern.compile("\\{(.*?)}")
                    .matcher(route.path())
                    .results()
                    .map((MatchResult found) -> found.group(1))
                    .toList();
            List<String> parameters = new ArrayList<>();
            operation.path("parameters").forEach(reference -> {
                JsonNode parameter = document.at(reference.path("$ref").asText().substring(1));
                if (parameter.path("in").asText().equals("path")) {
                    parameters.add(parameter.path("name").asText());
                }
            });
            assertThat(parameters).as(route.path()).isEqualTo(variables);
            assertThat(operation.path("summary").asText()).isNotEmpty();
            assertThat(operation.path("responses").has("200")).isTrue();
            if (route.access() == Route.Access.VALID_TOKEN) {
                assertThat(operation.path("responses").has("401")).isTrue();
                assertThat(operation.path("responses").has("503")).isTrue();
            }
        }
    }

    @Test
    void shouldDefineWhatItRefersTo() throws Exception {
        JsonNode document = read();
        for (JsonNode reference : document.findValues("$ref")) {
            assertThat(document.at(reference.asText().substring(1)).isMissingNode())
                    .as(reference.asText())
                    .isFalse();
        }
    }

    private static List<Route> routes() {
        HttpEdge edge = new HttpEdge(RollcallConfig.defaults().http(), 0, Meters.none());
        try (edge) {
            return edge.routes();
        }
    }

    private static JsonNode read() throws Exception {
        try (InputStream in = OpenApiTest.class.getResourceAsStream("/openapi.json")) {
            return new ObjectMapper().readTree(in);
        }
    }
}
