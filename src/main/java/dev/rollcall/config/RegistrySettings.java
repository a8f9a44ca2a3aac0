package dev.rollcall.config;

import java.net.URI;
import java.util.List;

/**
 * The settings of a schema registry.
 *
 * @param urls the bases of its API, without a slash at the end; one that does not answer is followed by the next. Empty: there is
 *     no registry
 * @param writes whether Rollcall writes in the registry's format too
 * @param user for HTTP basic authentication; empty: none
 */
public record RegistrySettings(
        List<URI> urls,
        boolean writes,
        String user,
        Secret password,
        Store truststore,
        Store keystore,
        Secret keyPassword) {

    /**
     * A file with certificates or keys.
     *
     * @param location empty: none, or Java's own
     * @param type as Kafka has it: JKS, PKCS12 or PEM
     */
    public record Store(String location, String type, Secret password) {
        public boolean isSet() {
            return !location.isEmpty();
        }
    }

    public boolean isSet() {
        return !urls.isEmpty();
    }
}
