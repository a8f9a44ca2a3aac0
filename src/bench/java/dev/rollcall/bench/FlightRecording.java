package dev.rollcall.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.text.ParseException;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;

/** JDK Flight Recorder, with its profiling settings. */
final class FlightRecording implements AutoCloseable {
    private final @Nullable Recording recording;

    private FlightRecording(@Nullable Recording recording) {
        this.recording = recording;
    }

    /** Starts one; null: does nothing. */
    static FlightRecording to(@Nullable String file) throws IOException, ParseException {
        if (file == null) {
            return new FlightRecording(null);
        }
        Recording recording = new Recording(Configuration.getConfiguration("profile"));
        recording.setDestination(Path.of(file));
        recording.start();
        return new FlightRecording(recording);
    }

    /** Writes the file. */
    void stop() {
        if (recording != null) {
            recording.stop();
        }
    }

    @Override
    public void close() {
        if (recording != null) {
            recording.close();
        }
    }
}
