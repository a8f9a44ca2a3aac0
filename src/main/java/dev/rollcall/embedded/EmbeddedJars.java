package dev.rollcall.embedded;

/** The jars of the embedded broker, which an installation may lack: src/dist/tar.xml has them in a directory of their own. */
public final class EmbeddedJars {
    private EmbeddedJars() {}

    /** Whether they are on the class path. Without them {@link EmbeddedBroker} cannot even be loaded. */
    public static boolean areThere() {
        try {
            Class.forName("kafka.server.KafkaRaftServer", false, EmbeddedJars.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }
}
