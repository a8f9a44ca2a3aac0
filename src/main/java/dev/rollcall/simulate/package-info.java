/** Life-like load: what many users' devices do, planned by seed, and sent as homeserver shards would. */
@NullMarked
package dev.rollcall.simulate;

import org.jspecify.annotations.NullMarked;
