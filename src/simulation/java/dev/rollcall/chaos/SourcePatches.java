package dev.rollcall.chaos;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The mechanism of broken variants, for the simulation: sources with a few other words, compiled. */
public final class SourcePatches {
    /** Words of a source file that are found exactly once, and others for them. */
    public record Words(String file, String words, String others) {}

    /** A variant that the campaign knows. */
    public record Known(String name, String defect, List<Words> words) {}

    private SourcePatches() {}

    /** The variants of the campaign. */
    public static List<Known> known() {
        return Variants.ALL.stream()
                .map(variant -> new Known(
                        variant.name(),
                        variant.defect(),
                        variant.patches().stream()
                                .map(patch -> new Words(patch.file(), patch.words(), patch.others()))
                                .toList()))
                .toList();
    }

    /** What has to go in front of the class path. */
    public static Path compile(String name, List<Words> words, Path directory) throws IOException {
        List<Variant.Patch> patches = new ArrayList<>();
        words.forEach(one -> patches.add(new Variant.Patch(one.file(), one.words(), one.others())));
        Variant variant =
                new Variant(name, "", List.copyOf(patches), Map.of(), Map.of(), false, brokers -> {}, List.of());
        return variant.compile(directory).get(0);
    }

    public static String classPath() {
        return Child.classPath();
    }
}
