"""`fenghe dead-letters` and `fenghe republish`, as an operator uses them."""

from __future__ import annotations

import re
from collections.abc import Callable

import redis

from tests.system.conftest import HTTP, AllInOne, fenghe, fenghe_again

UNREADABLE = {"type": "fenghe.offer.published.v1", "specversion": "0.3"}


def test_dead_letters_are_shown_by_cause_and_each_replay_is_tracked(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    system.start()

    def dead_letters(*arguments: str) -> tuple[int, str]:
        done = fenghe_again("dead-letters", "--data", str(system.data), *arguments)
        return done.returncode, done.stdout + done.stderr

    assert dead_letters() == (0, "There are no dead letters to replay.\n")
    assert dead_letters("--history") == (0, "No dead letter was replayed yet.\n")
    with redis.Redis.from_url(f"unix://{system.data / 'valkey' / 'valkey.sock'}") as client:
        client.xadd("fenghe:registry", UNREADABLE)
        client.xadd("fenghe:registry", UNREADABLE)
    system.quiet()
    code, text = dead_letters("matching")
    assert code == 0
    (line,) = [line for line in text.splitlines() if "specversion" in line]
    assert "│ 2 " in line, "grouped by cause"
    assert "fenghe.offer.published.v1" in line, "the type is not cut off"
    assert "When the cause is mended" in text
    (letter,) = re.findall(r"[0-9a-f-]{36}", line)

    code, text = dead_letters("matching", "--replay", letter)
    assert code == 1
    assert f"{letter} is dead again: specversion is '0.3'" in text
    assert "0 took effect, 1 failed again" in text
    code, text = dead_letters("matching", "--history")
    assert code == 0
    assert letter in text
    assert "dead again: specversion" in text
    code, text = dead_letters("matching", "--show", letter)
    assert code == 0
    assert "fenghe:registry" in text
    assert "at attempt 2 of: specversion is '0.3', not '1.0'" in text
    assert "UTC: dead again" in text
    assert "specversion: 0.3" in text
    assert dead_letters("matching", "--replay-cause", letter)[1].count("is dead again") == 2, "one names its group"
    assert "has no dead letter nothing" in dead_letters("matching", "--show", "nothing")[1]
    assert "Name the one service" in dead_letters("--show", letter)[1]
    code, text = dead_letters("matching", "--replay", "nothing")
    assert (code, text) == (
        1,
        "matching has no such dead letter that waits. See those that do: fenghe dead-letters matching\n",
    )


def test_what_can_never_be_a_fact_is_set_aside_with_a_reason_and_kept(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    system.start()

    def run(command: str, *arguments: str) -> tuple[int, str]:
        done = fenghe_again(command, "--data", str(system.data), *arguments)
        return done.returncode, done.stdout + done.stderr

    with redis.Redis.from_url(f"unix://{system.data / 'valkey' / 'valkey.sock'}") as client:
        client.xadd("fenghe:registry", UNREADABLE)
        client.xadd("fenghe:registry", UNREADABLE)
    system.quiet()
    code, text = run("status", "--url", system.address)
    assert code == 1
    commands = re.findall(r"fenghe dead-letters (\w+) --set-aside-cause ([0-9a-f-]{36}) --reason TEXT\n", text)
    assert {name for name, _ in commands} >= {"matching", "notify"}
    letters = dict(commands)

    reason = ("--reason", "written by hand", "--by", "Duty")
    assert "go together" in run("dead-letters", "matching", "--set-aside", letters["matching"])[1]
    assert "go together" in run("dead-letters", "matching", "--reason", "why")[1]
    assert "Name the one service" in run("dead-letters", "--set-aside", letters["matching"], *reason)[1]
    assert "--reason has 1 to 500" in run("dead-letters", "matching", "--set-aside", letters["matching"], "--reason", " ")[1]
    assert "no such dead letter" in run("dead-letters", "matching", "--set-aside", "nothing", *reason)[1]

    code, text = run("dead-letters", "matching", "--set-aside", letters["matching"], *reason)
    assert (code, text.splitlines()[0]) == (0, "matching: 1 set aside by Duty; kept whole, and counted no longer")
    code, text = run("dead-letters", "matching")
    assert "│ 1 " in text and "1 were set aside" in text, "the other one waits"
    for name, letter in commands:
        assert "set aside by Duty" in run("dead-letters", name, "--set-aside-cause", letter, *reason)[1]
    code, text = run("status", "--url", system.address)
    assert (code, text.splitlines()[-1]) == (0, "All is well."), text
    metrics = HTTP.get(f"{system.address}/api/matching/metrics").text
    assert "\nfenghe_dead_letters_waiting 0.0\n" in metrics

    text = run("dead-letters", "matching")[1]
    assert text == "There are no dead letters to replay.\n2 were set aside; see them: fenghe dead-letters --all\n"
    text = run("dead-letters", "matching", "--all")[1]
    assert text.count("written by hand") == text.count("Duty") == 2 and letters["matching"] in text
    text = run("dead-letters", "matching", "--show", letters["matching"])[1]
    assert re.search(r"(?m)^set aside \S+ \S+ UTC by Duty, because: written by hand$", text)
    assert "0 took effect, 0 failed again" in run("dead-letters", "matching", "--replay-all")[1]
    code, text = run("dead-letters", "matching", "--replay", letters["matching"])
    assert code == 1 and "is dead again" in text, "it can be tried, and is no fact"
    assert run("status", "--url", system.address)[0] == 0, "it stays set aside"


def test_the_last_fact_of_every_subject_is_sent_again_and_nothing_happens_twice(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()  # its own: on the stream of one that others read, facts would stand twice
    system.start("--sample")
    system.quiet()
    with redis.Redis.from_url(f"unix://{system.data / 'valkey' / 'valkey.sock'}") as client:
        before = client.xlen("fenghe:registry")
        done = fenghe("republish", "registry", "--data", str(system.data))
        assert done.returncode == 0, done.stderr
        (facts,) = re.findall(r"registry: (\d+) facts will be sent again", done.stdout)
        nobody = fenghe("republish", "registry", "--community", "nobody", "--data", str(system.data))
        assert (nobody.returncode, "Nothing that was sent is of a community 'nobody'" in nobody.stderr) == (1, True)
        system.quiet()
        told = client.xrange("fenghe:registry")
    assert len(told) == before + int(facts) > before
    again = [fields[b"id"] for _, fields in told[-int(facts) :]]
    assert set(again) <= {fields[b"id"] for _, fields in told[:before]}
    assert len({fields[b"subject"] for _, fields in told}) == int(facts)
