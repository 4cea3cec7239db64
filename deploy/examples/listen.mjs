// Prints every public fact, and after a stop goes on where it was.    npm install redis; node listen.mjs
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createClient } from "redis";

const [FEED, EVENTS, PLACE] = ["fenghe:feed", "http://127.0.0.1:8080/api/notify/events", "place.json"];
const client = createClient({ url: "redis://subscriber-NAME:PASSWORD@127.0.0.1:6390" });
await client.on("error", (error) => console.error(error.message)).connect();
const place = existsSync(PLACE) ? JSON.parse(readFileSync(PLACE, "utf8")) : { entry: "0-0", fact: null };
const caughtUp = new Set();

function handle(event) { // yours; after a crash the last one comes again, with the same id
  console.log(event.type, event.subject, JSON.stringify(event.data));
}

function keep(changed) {
  writeFileSync(`${PLACE}.new`, JSON.stringify(Object.assign(place, changed)));
  renameSync(`${PLACE}.new`, PLACE); // whole or not at all, however it is stopped
}

async function catchUp() { // the list has everything, also what the feed no longer holds
  console.error("fell behind the feed; catching up from the list");
  const [last] = await client.xRevRange(FEED, "+", "-", { COUNT: 1 });
  for (;;) {
    const after = place.fact ? `&after=${place.fact}` : "";
    const { items } = await (await fetch(`${EVENTS}?limit=200${after}`)).json();
    for (const event of items) {
      handle(event);
      caughtUp.add(event.id);
      keep({ fact: event.id });
    }
    if (items.length === 0) return keep({ entry: last?.id ?? "0-0" });
  }
}

for (;;) {
  const read = await client.xRead({ key: FEED, id: place.entry }, { BLOCK: 5000, COUNT: 100 });
  if (place.entry !== "0-0" && (await client.xRange(FEED, place.entry, place.entry)).length === 0) {
    await catchUp(); // what was read last is not there any more: something after it may be gone, too
    continue;
  }
  for (const { id, message } of read?.[0].messages ?? []) {
    if (!caughtUp.has(message.id)) handle({ ...message, data: JSON.parse(message.data) });
    keep({ entry: id, fact: message.id });
  }
}
