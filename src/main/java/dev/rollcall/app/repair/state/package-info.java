/** What is stored of all users: published once more, or made anew. */
@NullMarked
package dev.rollcall.app.repair.state;

import org.jspecify.annotations.NullMarked;
