package dev.rollcall.http.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The examples of RFC 9110, 12.5.1, and their edges. */
class AcceptTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    application/json                                   | 1
                    APPLICATION/JSON                                   | 1
                    application/json;q=0.2                             | 0.2
                    application/json ; Q=0.2                           | 0.2
                    application/*                                      | 1
                    application/*;q=0.3, application/json;q=0.1        | 0.1
                    */*;q=0.1, application/*;q=0.7                     | 0.7
                    application/json;q=0, */*                          | 0
                    text/html, */*;q=0.8                               | 0.8
                    text/html;x="application/json,", text/plain        | 0
                    application/jsonx                                  | 0
                    application/json;q=1.1                             | 0
                    application/json;charset=utf-8                     | 1
                    ,,                                                 | 0
                    """)
    void shouldTakeTheMostSpecificRange(String field, double quality) {
        assertThat(Accept.quality(List.of(field), "application/json")).isEqualTo(quality);
    }

    @Test
    void shouldTakeEverythingWithoutAFieldAndReadAllOfThem() {
        assertThat(Accept.quality(List.of(), "application/json")).isEqualTo(1);
        assertThat(Accept.quality(List.of("text/html", "application/json;q=0.5"), "application/json"))
                .isEqualTo(0.5);
    }
}
