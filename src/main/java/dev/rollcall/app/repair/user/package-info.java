/** What is known of one user, and how it is erased. */
@NullMarked
package dev.rollcall.app.repair.user;

import org.jspecify.annotations.NullMarked;
