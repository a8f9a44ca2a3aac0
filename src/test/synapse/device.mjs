// A device of a user: matrix-js-sdk, as it comes. A process of its own, so that it can be killed. node device.mjs URL USER DEVICE TOKEN
import { createClient } from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger.js";

logger.disableAll?.();
const [baseUrl, userId, deviceId, accessToken] = process.argv.slice(2);
const client = createClient({ baseUrl, userId, deviceId, accessToken });
const tell = (message) => process.connected && process.send(message);
client.on("event", (event) => {
  if (event.getType() === "m.presence") tell({ user: event.getSender(), ...event.getContent() });
});
client.on("sync", (state) => tell({ sync: state }));
process.on("message", ({ presence }) => client.setPresence(presence).catch((failure) => tell({ failure: String(failure) })));
process.on("disconnect", () => process.exit());
await client.startClient({ pollTimeout: 30_000, initialSyncLimit: 1 });
