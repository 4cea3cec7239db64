// Posts a line for every new request of residents: to a URL (chat, ticket system), or to the terminal.
//   npm install redis; node requests.mjs redis://subscriber-NAME:PASSWORD@HOST:PORT http://HOST:PORT [URL]
// Begins with what is told from now on. What was posted stands in posted.txt: nothing is posted twice after a stop.
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "redis";

const [redisUrl, fenghe, target] = process.argv.slice(2);
const [FEED, PLACE, POSTED, WANTED] = ["fenghe:feed", "place.json", "posted.txt", "fenghe.request.submitted.v1"];
const client = createClient({ url: redisUrl });
await client.on("error", (error) => console.error(error.message)).connect();
const posted = new Set(existsSync(POSTED) ? readFileSync(POSTED, "utf8").split("\n") : []);

async function newest() {
  const [last] = await client.xRevRange(FEED, "+", "-", { COUNT: 1 });
  return { entry: last?.id ?? "0-0", fact: last?.message.id ?? null };
}

let place = existsSync(PLACE) ? JSON.parse(readFileSync(PLACE, "utf8")) : await newest();
function keep(next) {
  writeFileSync(`${PLACE}.new`, JSON.stringify((place = next)));
  renameSync(`${PLACE}.new`, PLACE); // whole or not at all
}
keep(place);

async function post(event) {
  if (event.type !== WANTED || posted.has(event.subject)) return;
  const { channel, compound, item } = event.data;
  const text = `New request ${event.subject}: ${item ?? "not read yet"}, in ${compound}, by ${channel}`;
  while (target) { // until it is taken
    const [body, headers] = [JSON.stringify({ text }), { "Content-Type": "application/json" }];
    const taken = await fetch(target, { method: "POST", headers, body }).then((answer) => answer.ok, () => false);
    if (taken) break;
    await pause(1000);
  }
  console.log(text);
  posted.add(event.subject);
  appendFileSync(POSTED, event.subject + "\n");
}

async function catchUp() {
  const { entry } = await newest();
  for (let { fact } = place; ; keep({ ...place, fact })) {
    const after = fact ? `&after=${fact}` : "";
    const { items } = await (await fetch(`${fenghe}/api/notify/events?limit=200${after}`)).json();
    if (items.length === 0) return keep({ entry, fact });
    for (const event of items) await post(event);
    fact = items.at(-1).id;
  }
}

for (;;) {
  const read = await client.xRead({ key: FEED, id: place.entry }, { BLOCK: 5000, COUNT: 100 });
  if (place.entry !== "0-0" && (await client.xRange(FEED, place.entry, place.entry)).length === 0) await catchUp();
  else for (const { id, message } of read?.[0].messages ?? []) {
    await post({ ...message, data: JSON.parse(message.data) });
    keep({ entry: id, fact: message.id });
  }
}
