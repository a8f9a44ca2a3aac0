// Requests of this tab, but for those about its device's state, which are the hub's.

/** Calls the server. Never throws: `{ ok, status, json, reason }`; the status is 0 if there was no answer. */
export async function call(method, where, token, body) {
  try {
    const answer = await fetch(where, {
      method,
      cache: "no-store",
      headers: {
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const json = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, json, reason: json.error ?? `the server has answered with ${answer.status}` };
  } catch {
    return { ok: false, status: 0, json: {}, reason: "the server cannot be reached" };
  }
}

/** One request after the other: so what the server hears last is what was meant last. */
export function inOrder() {
  let last = Promise.resolve();
  return (task) => (last = last.then(task));
}

/** What a token says of itself, unchecked; null: it is none. The server checks it. */
export function claims(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    const { sub, device_id: device, scope } = JSON.parse(new TextDecoder().decode(bytes));
    if (scope === "service") return { service: true };
    return typeof sub === "string" && typeof device === "string" ? { service: false, user: sub, device } : null;
  } catch {
    return null;
  }
}
