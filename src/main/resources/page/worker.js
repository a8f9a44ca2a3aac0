// One hub for all tabs of a browser: HTTP/1.1 allows six connections, so that eight tabs cannot have a stream each.

import { Hub } from "/hub.js";

const hub = new Hub();
self.addEventListener("connect", (connected) => hub.connect(connected.ports[0]));
