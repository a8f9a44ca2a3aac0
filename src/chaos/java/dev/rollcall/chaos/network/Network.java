package dev.rollcall.chaos.network;

import java.util.List;

/** Where the processes of a campaign run, each under the name of its node. */
public interface Network extends AutoCloseable {
    /** All of them on this machine's loopback interface. */
    Network LOOPBACK = new Network() {
        @Override
        public String host(String node) {
            return "localhost";
        }

        @Override
        public List<String> enter(String node) {
            return List.of();
        }

        @Override
        public void close() {
            // nothing was set up
        }
    };

    /** The address under which all others reach it. */
    String host(String node);

    /** What goes in front of the command of a process that is to run there. */
    List<String> enter(String node);

    @Override
    void close();
}
