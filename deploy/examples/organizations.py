# Keeps organizations.xlsx in step with the organizations of the supermarket: one row each, its latest state.
#   pip install redis openpyxl; python organizations.py redis://subscriber-NAME:PASSWORD@HOST:PORT http://HOST:PORT
# The last entry read stands in the file itself, so that rows and place never disagree: stop it whenever you like.
import json
import os
import sys
import urllib.request

import openpyxl
import redis

FEED, FILE, EVENTS = "fenghe:feed", "organizations.xlsx", sys.argv[2].rstrip("/") + "/api/notify/events?limit=200"
COLUMNS = ["organization", "sequence", "name_zh", "name_en", "organization_class", "status", "community", "time"]
client = redis.Redis.from_url(sys.argv[1], decode_responses=True, socket_timeout=20)
book = openpyxl.load_workbook(FILE) if os.path.exists(FILE) else openpyxl.Workbook()
if len(book.worksheets) == 1:  # a new one
    book.active.append(COLUMNS)
    book.create_sheet("place")
sheet, place = book.worksheets
rows = {sheet.cell(number, 1).value: number for number in range(2, sheet.max_row + 1)}


def apply(event):
    if event["type"].startswith("fenghe.org."):
        number = rows.setdefault(event["subject"], len(rows) + 2)
        if event["sequence"] > (sheet.cell(number, 2).value or ""):  # never an older state over a newer one
            for column, name in enumerate(COLUMNS, start=1):
                sheet.cell(number, column, event["data"].get(name, event.get(name)))


def save(entry, fact):
    place["A1"], place["A2"] = entry, fact
    book.save(FILE + ".new")
    os.replace(FILE + ".new", FILE)
    print(f"{len(rows)} organizations", flush=True)


def catch_up(fact):  # the list has everything since the beginning
    last = client.xrevrange(FEED, count=1)
    while items := json.load(urllib.request.urlopen(EVENTS + (f"&after={fact}" if fact else "")))["items"]:
        for event in items:
            apply(event)
        fact = items[-1]["id"]
    save(last[0][0] if last else "0-0", fact)


if place["A1"].value is None:
    catch_up(None)
while True:
    entry = place["A1"].value
    read = client.xread({FEED: entry}, block=5000, count=500)
    if entry != "0-0" and not client.xrange(FEED, entry, entry):
        catch_up(place["A2"].value)  # the feed went on without us for too long
    elif read:
        for _, fields in read[0][1]:
            apply({**fields, "data": json.loads(fields["data"])})
        save(read[0][1][-1][0], read[0][1][-1][1]["id"])
