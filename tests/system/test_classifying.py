"""`fenghe classify`: any taxonomy, JSON lines in and out, bad lines told by their number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TAXONOMY = """
id: library
version: 3
categories:
  - id: loans
    name: {zh: 借阅, en: Loans}
    phrases: {zh: [想借一本书, 续借], en: [borrow a book]}
    items:
      - {id: renew, name: {zh: 续借}, phrases: {zh: [书到期了想多看几天, 延期还书]}}
      - {id: reserve, name: {zh: 预约}, phrases: {zh: [书被借走了想排队等, 预约图书]}}
  - id: rooms
    name: {en: Rooms}
    phrases: {zh: [想借个房间开会, 自习室有座位吗], en: [book a meeting room]}
"""


@pytest.fixture
def taxonomy(tmp_path: Path) -> Path:
    path = tmp_path / "library.yaml"
    path.write_text(TAXONOMY, encoding="utf-8")
    return path


def run(taxonomy: Path, *options: str, lines: list[Any], **environment: str) -> subprocess.CompletedProcess[str]:
    given = "".join((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n" for line in lines)
    command = [sys.executable, "-m", "deploy.cli", "classify", "--taxonomy", str(taxonomy), *options]
    env = {**os.environ, **environment}
    return subprocess.run(
        command, input=given, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, env=env, check=False
    )


def test_any_taxonomy_reads_texts(taxonomy: Path) -> None:
    done = run(taxonomy, lines=[{"text": "这本书到期了，能延期吗"}, {"text": "is there a meeting room"}, {"text": "zzz"}])
    assert (done.returncode, done.stderr) == (0, "")
    late, room, noise = map(json.loads, done.stdout.splitlines())
    assert list(late) == ["text", "ranked", "abstain"]
    assert list(late["ranked"][0]) == ["category", "item", "p"]
    assert (late["ranked"][0]["category"], late["ranked"][0]["item"]) == ("loans", "renew")
    assert (room["ranked"][0]["category"], room["ranked"][0]["item"]) == ("rooms", None)
    assert noise["abstain"] and len(noise["ranked"]) == 3


def test_readings_are_written_in_utf_8_whatever_the_machine_speaks(taxonomy: Path) -> None:
    done = run(taxonomy, lines=[{"text": "续借"}], PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "续借"


def test_bad_lines_are_told_by_number_and_the_rest_goes_on(taxonomy: Path) -> None:
    done = run(
        taxonomy, lines=["not json", {"text": "续借"}, "", {"words": "x"}, "[1]", '{"text": "\\ud800"}', {"text": "预约"}]
    )
    assert done.returncode == 1
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["续借", "预约"]
    told = done.stderr.splitlines()
    assert [line.split(":")[0] for line in told] == [f"standard input, line {n}" for n in (1, 4, 5, 6)]


def test_labels_are_learned_and_measured(taxonomy: Path, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.jsonl"
    lines = [
        {"text": "投影仪", "category": "rooms"},
        {"text": "排队", "category": "loans", "item": "reserve"},
        {"text": "x", "category": "nowhere"},
        {"text": "午饭吃什么", "category": None},
    ]
    labelled.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = run(taxonomy, "--train", str(labelled), "--evaluate", lines=[*lines, {"text": "续借", "category": "loans"}])
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{labelled}, line 3: there is no category 'nowhere' in the taxonomy",
        "standard input, line 3: there is no category 'nowhere' in the taxonomy",
    ]
    measured = json.loads(done.stdout)
    assert measured["texts"] == 3 and measured["accuracy"] == 1.0
    assert {"macro_f1", "ece", "coverage_at_0.9", "coverage_at_0.95", "abstained", "category"} < set(measured)
    assert measured["nothing_asked"] == {"texts": 1, "abstained": 1}


def test_says_why(taxonomy: Path) -> None:
    done = run(taxonomy, "--explain", lines=[{"text": "想预约一本书"}])
    (answer,) = map(json.loads, done.stdout.splitlines())
    assert any("预约" in piece["piece"] for piece in answer["why"]["pieces"])
    assert "预约" in {phrase["phrase"] for phrase in answer["why"]["phrases"]} | {"预约图书"}


def test_reasons_and_measures_are_not_asked_for_together(taxonomy: Path) -> None:
    done = run(taxonomy, "--explain", "--evaluate", lines=[{"text": "续借", "category": "loans"}])
    assert (done.returncode, done.stdout) == (1, "")
    assert "--explain or --evaluate, not both" in done.stderr


def test_what_cannot_be_used_at_all_is_said_in_a_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    wrong = {
        "categories: [{id: a}]": "categories[0].name needs one of zh and en",
        "categories: [{id: a, name: {zh: 报修}, phrase: {zh: [漏水]}}]": "categories[0] has a `phrase`; probably `phrases`",
        "categories: [{id: a, name: {zh: 报修}, items: [{id: b, name: {zh: 水}, Phrases: {}}]}]": "items[0] has a `Phrases`",
        "category: []": "the taxonomy has a `category`; probably `categories`",
        "[a]": "A taxonomy is a mapping",
        "": "A taxonomy is a mapping",
        "categories:\n  - id: a\n   name: x": "is not YAML: line 3, column 4: ",
        "categories: [{id: a, name: {zh: 报修}, phrases: {zh: [漏水]}, phrases: {zh: [停电]}}]": "there is a second 'phrases'",
        "categories: [{id: a, name: {zh: 报修}, phrases: 漏水}]": "categories[0].phrases has a list for each language",
        "categories: [{id: a, name: 报修}]": "categories[0].name holds texts by language",
        "categories: " + "[" * 5000: "is not YAML: line 1, column 1012: ",
    }
    for text, says in wrong.items():
        bad.write_text(text, encoding="utf-8")
        done = run(bad, lines=[{"text": "x"}])
        assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr
    missing = run(tmp_path / "none.yaml", lines=[{"text": "x"}])
    assert missing.returncode == 1 and "cannot be read" in missing.stderr


def test_files_as_other_programs_write_them_are_read(tmp_path: Path) -> None:
    """With a byte order mark, with CRLF, with no line at all, with one that is very long."""
    marked = tmp_path / "marked.yaml"
    marked.write_bytes(b"\xef\xbb\xbf" + TAXONOMY.replace("\n", "\r\n").encode())
    given = "\ufeff" + '{"text": "续借"}\r\n{"text": ""}\r\n' + json.dumps({"text": "续借" * 20_000}) + "\r\n"
    done = run(marked, lines=[given])
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["abstain"] for line in done.stdout.splitlines()] == [False, True, False]
    assert (run(marked, lines=[]).returncode, run(marked, lines=[]).stdout) == (0, "")
    assert json.loads(run(marked, "--evaluate", lines=[]).stdout)["texts"] == 0


def test_what_others_write_beside_the_format_is_left_to_them(tmp_path: Path) -> None:
    path = tmp_path / "noted.yaml"
    path.write_text("notes: x\ncategories: [{id: a, name: {zh: 报修}, colour: red}]", encoding="utf-8")
    assert run(path, lines=[{"text": "报修"}]).stderr == ""


def test_the_words_of_many_texts_help_to_read_one_another(taxonomy: Path, tmp_path: Path) -> None:
    """No phrase knows 投影仪; it keeps company with words of rooms, in texts nobody labelled."""
    lines = [{"text": f"想借个房间开会，要有投影仪，第{n}组"} for n in range(80)]
    lines += [{"text": f"书到期了想多看几天，第{n}本"} for n in range(80)]
    lines.append({"text": "投影仪"})
    together = run(taxonomy, lines=lines).stdout.splitlines()
    alone = run(taxonomy, "--one-by-one", lines=lines).stdout.splitlines()
    assert len(together) == len(alone) == len(lines)
    read = [json.loads(some[-1])["ranked"] for some in (together, alone)]
    rooms = [next(one["p"] for one in ranked if one["category"] == "rooms") for ranked in read]
    assert read[0][0]["category"] == "rooms" and rooms[0] > rooms[1]


TWO = "categories: [{id: a, name: {zh: 报修}}, {id: b, name: {en: Singing}, phrases: {en: [join the choir]}}]"
MANY = "categories: [" + ", ".join(f"{{id: c{n}, name: {{zh: 类别第{n}号}}}}" for n in range(300)) + "]"
NULLS = """{"version": null, "categories": [
 {"id": "a", "name": {"zh": null, "en": "Taps"}, "phrases": {"zh": null, "en": ["the tap leaks"]}, "items": null},
 {"id": 2, "name": {"zh": "报修", "en": null}, "phrases": null, "items": [{"id": 7, "name": {"zh": "水电", "en": ""}}]}]}"""
ENGLISH = "categories: [{id: a, name: {en: Taps}, phrases: {en: [the tap leaks]}}, {id: b, name: {en: Dance}}]"


@pytest.mark.parametrize(
    ("given", "text", "category"),
    [
        (TWO, "想报修", "a"),
        (TWO, "may I sing", "b"),
        (MANY, "类别第123号", "c123"),
        (ENGLISH, "my taps leaked", "a"),
        (NULLS, "my taps leaked", "a"),
        (NULLS, "想报修水电", "2"),
    ],
)
def test_a_taxonomy_may_be_bare(tmp_path: Path, given: str, text: str, category: str) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(given, encoding="utf-8")
    done = run(path, "--explain", lines=[{"text": text}])
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ranked"][0]["category"] == category
