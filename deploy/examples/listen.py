# Prints every public fact, and after a stop goes on where it was.    pip install redis; python listen.py
import json
import pathlib
import sys
import urllib.request

import redis

FEED, EVENTS, PLACE = "fenghe:feed", "http://127.0.0.1:8080/api/notify/events", pathlib.Path("place.json")
client = redis.Redis.from_url("redis://subscriber-NAME:PASSWORD@127.0.0.1:6390", decode_responses=True, socket_timeout=20)
place = json.loads(PLACE.read_text()) if PLACE.exists() else {"entry": "0-0", "fact": None}
caught_up = set()


def handle(event):  # yours; after a crash the last one comes again, with the same id
    print(event["type"], event["subject"], json.dumps(event["data"], ensure_ascii=False), flush=True)


def keep(**changed):
    place.update(changed)
    new = PLACE.with_suffix(".new")
    new.write_text(json.dumps(place))
    new.replace(PLACE)  # whole or not at all, however it is stopped


def catch_up():  # the list has everything, also what the feed no longer holds
    print("fell behind the feed; catching up from the list", file=sys.stderr)
    last = client.xrevrange(FEED, count=1)
    while True:
        after = f"&after={place['fact']}" if place["fact"] else ""
        events = json.load(urllib.request.urlopen(f"{EVENTS}?limit=200{after}"))["items"]
        for event in events:
            handle(event)
            caught_up.add(event["id"])
            keep(fact=event["id"])
        if not events:
            return keep(entry=last[0][0] if last else "0-0")


while True:
    read = client.xread({FEED: place["entry"]}, block=5000, count=100)
    if place["entry"] != "0-0" and not client.xrange(FEED, place["entry"], place["entry"]):
        catch_up()  # what was read last is not there any more: something after it may be gone, too
        continue
    for entry, fields in read[0][1] if read else []:
        if fields["id"] not in caught_up:
            handle({**fields, "data": json.loads(fields["data"])})
        keep(entry=entry, fact=fields["id"])
