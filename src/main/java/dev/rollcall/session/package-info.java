/** What one partition knows of the shards' sessions, which hold open connections (rule 14). Only {@code java.*}. */
@NullMarked
package dev.rollcall.session;

import org.jspecify.annotations.NullMarked;
