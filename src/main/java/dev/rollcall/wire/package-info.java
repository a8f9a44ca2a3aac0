/** Topics with their types, and Avro to domain and back. The only importer of the generated Avro classes. */
@NullMarked
package dev.rollcall.wire;

import org.jspecify.annotations.NullMarked;
