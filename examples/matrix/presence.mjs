// An unmodified matrix-js-sdk against Rollcall: node presence.mjs URL USER TOKEN
import { createClient } from "matrix-js-sdk";
import { logger } from "matrix-js-sdk/lib/logger.js";

logger.disableAll?.();
const [baseUrl, userId, accessToken] = process.argv.slice(2);
const client = createClient({ baseUrl, userId, accessToken, deviceId: "sdk" });
// State and text travel on topics of their own: either may be seen first.
const until = async (state, text) => {
  for (;;) {
    const presence = await client.getPresence(userId).catch((failure) => {
      if (failure.errcode !== "M_NOT_FOUND") throw failure;
      return {};
    });
    if (presence.presence === state && (text === undefined || presence.status_msg === text)) return presence;
    await new Promise((done) => setTimeout(done, 100));
  }
};
for (const [presence, status_msg] of [["online", "here"], ["unavailable", "making tea"], ["offline", undefined]]) {
  await client.setPresence({ presence, status_msg });
  console.log(JSON.stringify(await until(presence, status_msg)));
}
await client.setPresence({ presence: "busy" }).catch((failure) => console.log(failure.errcode ?? failure.message));
