package dev.rollcall.chaos;

import dev.rollcall.chaos.check.Entry;
import dev.rollcall.chaos.check.Entry.Before;
import dev.rollcall.chaos.check.Logs;
import dev.rollcall.chaos.check.Window;
import dev.rollcall.chaos.check.Window.Reach;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** What was read and when there were faults, in a file: so that a campaign can be checked again when it is over. */
record LogDump(Logs logs, List<Window> windows) {

    void write(Path file) throws IOException {
        try (DataOutputStream out = new DataOutputStream(new GZIPOutputStream(Files.newOutputStream(file)))) {
            out.writeLong(logs.readAt());
            write(out, logs.heartbeats());
            write(out, logs.statuses());
            write(out, logs.flags());
            write(out, logs.presence());
            List<Entry> compacted = logs.compacted();
            out.writeBoolean(compacted != null);
            if (compacted != null) {
                write(out, compacted);
            }
            out.writeInt(windows.size());
            for (Window window : windows) {
                out.writeLong(window.from());
                out.writeLong(window.to());
                out.writeUTF(window.reach().name());
                out.writeInt(window.takeOvers());
            }
        }
    }

    static LogDump read(Path file) throws IOException {
        try (DataInputStream in = new DataInputStream(new GZIPInputStream(Files.newInputStream(file)))) {
            long readAt = in.readLong();
            Logs logs = new Logs(
                    readAt,
                    readEntries(in),
                    readEntries(in),
                    readEntries(in),
                    readEntries(in),
                    in.readBoolean() ? readEntries(in) : null);
            List<Window> windows = new ArrayList<>();
            int count = in.readInt();
            for (int i = 0; i < count; i++) {
                windows.add(new Window(in.readLong(), in.readLong(), Reach.valueOf(in.readUTF()), in.readInt()));
            }
            return new LogDump(logs, windows);
        }
    }

    private static void write(DataOutputStream out, List<Entry> entries) throws IOException {
        out.writeInt(entries.size());
        for (Entry entry : entries) {
            out.writeInt(entry.partition());
            out.writeLong(entry.offset());
            out.writeLong(entry.timestamp());
            write(out, entry.key());
            write(out, entry.value());
            Long firstTime = entry.firstTime();
            out.writeBoolean(firstTime != null);
            if (firstTime != null) {
                out.writeLong(firstTime);
            }
            out.writeInt(entry.after().size());
            for (Before before : entry.after()) {
                out.writeUTF(before.topic());
                out.writeLong(before.offset());
            }
            out.writeInt(entry.headerBytes());
        }
    }

    private static List<Entry> readEntries(DataInputStream in) throws IOException {
        int count = in.readInt();
        List<Entry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(new Entry(
                    in.readInt(),
                    in.readLong(),
                    in.readLong(),
                    readBytes(in),
                    readBytes(in),
                    in.readBoolean() ? (Long) in.readLong() : null,
                    readAfter(in),
                    in.readInt()));
        }
        return entries;
    }

    private static List<Before> readAfter(DataInputStream in) throws IOException {
        int count = in.readInt();
        List<Before> after = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            after.add(new Before(in.readUTF(), in.readLong()));
        }
        return after;
    }

    private static void write(DataOutputStream out, byte @Nullable [] bytes) throws IOException {
        out.writeInt(bytes == null ? -1 : bytes.length);
        if (bytes != null) {
            out.write(bytes);
        }
    }

    private static byte @Nullable [] readBytes(DataInputStream in) throws IOException {
        int length = in.readInt();
        return length < 0 ? null : in.readNBytes(length);
    }
}
