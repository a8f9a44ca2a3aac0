/** Text as it comes from anybody: whether it is well-formed, and how it is shown. */
@NullMarked
package dev.rollcall.text;

import org.jspecify.annotations.NullMarked;
