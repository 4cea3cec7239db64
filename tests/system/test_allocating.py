"""`fenghe allocate`: an instance in, a result out, and the proof from the two files alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy

ROOT = Path(__file__).parents[2]
INSTANCE: dict[str, Any] = {
    "needs": ["meals", "repairs", "choir"],
    "organizations": [{"id": "a", "capacity": 1}, {"id": "b", "capacity": 1}],
    "arcs": {"need": [0, 0, 1, 2], "organization": [0, 1, 0, 1], "score": [900, 300, 800, 100]},
}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", "allocate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False)


def test_a_file_is_solved_and_proved_and_a_forged_result_refused(tmp_path: Path) -> None:
    instance, result = tmp_path / "instance.json", tmp_path / "result.json"
    instance.write_text(json.dumps(INSTANCE))
    done = run(instance)
    assert done.returncode == 0, done.stderr
    assert "price of fairness 0.0" in done.stderr
    answer = json.loads(done.stdout)
    assert (answer["assignment"], answer["served"], answer["objective"]) == ([1, 0, None], 2, 1100)
    assert (answer["certificate"]["dual"], answer["certificate"]["gap"]) == (1100, 0)
    assert answer["report"] == {
        "served": 2,
        "objective": 1100,
        "gap": 0,
        "price_of_fairness": 0.0,
        "organizations": 2,
        "organizations_with_a_project": 2,
        "gini_of_utilisation": 0.0,
        "smallest_utilisation": 1.0,
        "blocking_pairs": 1,
    }
    assert {"read", "build", "solve", "certificate", "ties", "report", "total"} == answer["seconds"].keys()
    result.write_text(done.stdout)
    proved = run("--check", instance, result)
    assert (proved.returncode, proved.stdout[:20]) == (0, "Proved: 2 of 3 needs")
    answer["certificate"]["prices"][0] += 1
    result.write_text(json.dumps(answer))
    refused = run("--check", instance, result)
    assert (refused.returncode, refused.stdout[:8]) == (1, "Refused:")


def test_a_file_with_a_byte_order_mark_is_read_and_others_are_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "instance.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(INSTANCE, indent=1).replace("\n", "\r\n").encode())
    assert json.loads(run(path).stdout)["served"] == 2
    for content, says in (
        ("", "is not JSON"),
        ('{"needs": 1e400, "organizations": [], "arcs": {}}', '"needs" is neither a number nor a list of ids'),
        ('{"needs": 1, "organizations": [{"capacity": 1e400}], "arcs": {}}', "organization 0 has a capacity of inf"),
        ("[" * 100_000, "is not JSON"),
        ('{"needs": 1, "needs": 2, "organizations": [], "arcs": {}}', "an object has 'needs' twice"),
    ):
        path.write_text(content)
        refused = run(path)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert says in refused.stderr and "Traceback" not in refused.stderr, refused.stderr
    assert "cannot be read" in run(tmp_path).stderr
    assert "cannot be read" in run(tmp_path / "none.json").stderr


def test_an_instance_may_come_through_a_pipe(tmp_path: Path) -> None:
    """As `fenghe allocate <(zcat instance.json.gz)` gives it: a file that is read once, and cannot be wound back."""
    arrays = tmp_path / "instance.npz"
    columns = {name: numpy.asarray(values) for name, values in INSTANCE["arcs"].items()}
    numpy.savez(arrays, **columns, capacity=numpy.asarray([1, 1]))
    for content in (json.dumps(INSTANCE).encode(), arrays.read_bytes()):
        command = [sys.executable, "-m", "deploy.cli", "allocate", "/dev/stdin"]
        piped = subprocess.run(command, input=content, capture_output=True, cwd=ROOT, check=False)
        assert piped.returncode == 0, piped.stderr
        assert json.loads(piped.stdout)["assignment"] == [1, 0, None]


def test_arrays_say_the_same_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    arrays = tmp_path / "instance.npz"
    columns = {name: numpy.asarray(values) for name, values in INSTANCE["arcs"].items()}
    numpy.savez(arrays, **columns, capacity=numpy.asarray([1, 1]), options=json.dumps({"seed": 3, "first_project_bonus": 50}))
    done = run(arrays)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["served"], answer["objective"], answer["fairness"]["scale"]) == (2, 1100, 16)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(INSTANCE | {"options": {"forbiden": [[0, 0]]}}))
    refused = run(wrong)
    assert refused.returncode == 1
    assert 'probably "forbidden" is meant' in refused.stderr
    archive = tmp_path / "wrong.npz"
    capacity = numpy.asarray([1, 1])
    for changed, says in (
        ({"score": numpy.asarray([1.0, 2.5, 3.0, 4.0])}, '"arcs.score" has 2.5 at position 1'),
        ({"score": numpy.asarray(["1", "2", "3", "4"])}, "\"arcs.score\" has '1' at position 0"),
        ({"score": numpy.asarray([True] * 4)}, '"arcs.score" has True at position 0'),
        ({"capacity": numpy.asarray([[1, 1]])}, '"capacity" is not a column'),
        ({"need": numpy.asarray([0, 0, 1])}, "the columns of arcs have 3, 4 and 4 entries"),
        ({"need": numpy.asarray([0, 0, -1, 2])}, "arc 2 names -1"),
        ({"needs": numpy.asarray([3, 4])}, '"needs" is [3, 4]; it is their number'),
        ({"needs": numpy.asarray(-5)}, '"needs" is [-5]; it is their number'),
        ({"needs": numpy.asarray(2**40)}, "at most two thousand million"),
        ({"need": numpy.asarray([0, 0, 1, 2**40])}, "at most two thousand million"),
        ({"options": numpy.asarray("[" * 100_000)}, '"options" is not a JSON text'),
        ({"sizes": numpy.asarray([1, 1, 2])}, "unequal size cannot be expressed"),
    ):
        numpy.savez(archive, **(columns | {"capacity": capacity} | changed))
        refused = run(archive)
        assert (refused.returncode, refused.stdout) == (1, "") and says in refused.stderr, refused.stderr
    renamed = tmp_path / "arrays.dat"
    renamed.write_bytes(arrays.read_bytes())
    assert json.loads(run(renamed).stdout)["assignment"] == answer["assignment"]
    numpy.savez_compressed(archive, **columns, capacity=capacity)
    squeezed = bytearray(archive.read_bytes())
    squeezed[60:90] = bytes(30)
    for content in (b"words", b"", arrays.read_bytes()[:400], bytes(squeezed)):
        archive.write_bytes(content)
        refused = run(archive)
        assert refused.returncode == 1
        assert refused.stderr == f"{archive} is not an archive of number arrays (.npz, as numpy.savez writes it).\n"
