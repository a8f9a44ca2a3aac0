package dev.rollcall;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Whether each row of the scenario table is a test. */
class RowsTest {
    private static final Pattern ROW = Pattern.compile("^\\| ([A-Z]\\d+) \\|", Pattern.MULTILINE);

    @Test
    void shouldBePlayedByATestWhenARowIsInTheTable() throws IOException {
        Set<String> table = ROW.matcher(Files.readString(Path.of("docs", "rules.md")))
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> tests = new ClassFileImporter()
                .withImportOption(new ImportOption.OnlyIncludeTests()).importPackages("dev.rollcall").stream()
                        .flatMap(one -> one.getMethods().stream())
                        .filter(method -> method.isAnnotatedWith(Row.class))
                        .map(method -> method.getAnnotationOfType(Row.class).value())
                        .collect(Collectors.toCollection(TreeSet::new));
        assertThat(tests).hasSizeGreaterThanOrEqualTo(62).isEqualTo(table);
    }
}
