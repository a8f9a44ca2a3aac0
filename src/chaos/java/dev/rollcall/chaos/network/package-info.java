/** What lies between the processes of a campaign: proxies that understand where a request begins, and namespaces. */
@NullMarked
package dev.rollcall.chaos.network;

import org.jspecify.annotations.NullMarked;
