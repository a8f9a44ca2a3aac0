/** The commands of an operator: what is wrong with a cluster, its topics, the rights that are needed, tokens, the topology. */
@NullMarked
package dev.rollcall.app.operator;

import org.jspecify.annotations.NullMarked;
