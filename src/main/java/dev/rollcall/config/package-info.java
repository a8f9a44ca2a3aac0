/** The settings: read once, validated, immutable. */
@NullMarked
package dev.rollcall.config;

import org.jspecify.annotations.NullMarked;
