/** A whole Kafka in this process, so that one command is enough; the only importer of Kafka's server classes. */
@NullMarked
package dev.rollcall.embedded;

import org.jspecify.annotations.NullMarked;
