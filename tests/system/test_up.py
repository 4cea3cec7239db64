"""`fenghe up` through its days: started, started again, refused, stopped, killed."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from tests.system.conftest import HTTP, ROOT, AllInOne, alive, fenghe

COMMUNITY = {
    "slug": "north",
    "name_zh": "北社区",
    "name_en": "North",
    "compounds": [{"id": "a", "name_zh": "甲", "name_en": "A"}],
}


def open_community(system: AllInOne) -> str:
    response = HTTP.post(f"{system.address}/api/registry/communities", json=COMMUNITY, headers=system.token())
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def test_stopped_by_sigterm_it_leaves_nothing_running_and_finds_everything_again(
    all_in_one: Callable[[], AllInOne],
) -> None:
    system = all_in_one()
    system.start()
    community = open_community(system)
    valkey = system.valkey_pid
    assert system.end(signal.SIGTERM) == 0
    assert not alive(valkey)
    system.start()
    found = HTTP.get(f"{system.address}/api/registry/communities/{community}")
    assert found.json()["slug"] == "north"


def test_killed_it_finds_everything_again_and_ends_the_valkey_that_was_left_behind(
    all_in_one: Callable[[], AllInOne],
) -> None:
    system = all_in_one()
    system.start()
    community = open_community(system)
    left_behind = system.valkey_pid
    system.end(signal.SIGKILL)
    assert alive(left_behind)
    system.start()
    assert not alive(left_behind)
    assert HTTP.get(f"{system.address}/api/registry/communities/{community}").status_code == 200
    system.quiet()
    figures = [
        HTTP.get(f"{system.address}/api/registry/communities/{community}/kit-figures").json(),
        HTTP.get(f"{system.address}/api/notify/communities/{community}/figures").json(),
    ]
    assert figures == [{"facts": 1, "dead_letters": 0}, {"notices": 1}]


def test_a_second_process_on_the_same_folder_is_refused_with_a_sentence(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    system.start()
    assert system.process is not None
    outcome = fenghe("up", "--data", str(system.data), "--port", "0")
    assert outcome.returncode == 1
    assert f"Another fenghe (process {system.process.pid}) is running on {system.data}" in outcome.stderr
    assert "--data" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_port_in_use_is_refused_with_a_sentence(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = fenghe("up", "--data", str(system.data), "--port", port)
    assert outcome.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in outcome.stderr
    assert "--port" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_typo_in_a_setting_is_answered_with_the_likely_one(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    outcome = fenghe("up", "--data", str(system.data), "--port", "0", FENGHE_LOG_LEVLE="DEBUG")
    assert outcome.returncode == 1
    assert outcome.stderr.strip() == "There is no setting FENGHE_LOG_LEVLE. Did you mean FENGHE_LOG_LEVEL?"
    outcome = fenghe("run", "registry", FENGHE_PORT="eighty")
    assert outcome.returncode == 1
    assert "FENGHE_PORT cannot be used" in outcome.stderr
    assert "FENGHE_DATABASE_URL is missing" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_killed_three_times_in_mid_season_the_season_ends_and_every_request_is_there_once(
    all_in_one: Callable[[], AllInOne],
) -> None:
    system = all_in_one()
    system.start()
    token = system.token()["Authorization"].removeprefix("Bearer ")
    season = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "demo", "--json", "--requests", "60", "--url", system.address, "--token", token],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Killed while the organizations join, while the requests come in, and while they are answered.
    for facts in (60, 260, 420):
        wait_for_facts(system, facts, season)
        system.end(signal.SIGKILL)
        system.start()
    output, errors = season.communicate(timeout=300)
    assert season.returncode == 0, errors[-3000:]
    figures = json.loads(output.splitlines()[-1])
    assert figures["requests"] == 60
    assert figures["organizations"] == 26
    assert figures["dead_letters"] == 0
    assert figures["matched"] + figures["unmatched"] >= 60
    assert figures["ratings"] <= figures["served"] <= figures["accepted"] + figures["declined"]


def wait_for_facts(system: AllInOne, facts: int, season: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and season.poll() is None:
        communities = HTTP.get(f"{system.address}/api/registry/communities").json()["items"]
        told = 0
        for community in communities:
            for name in ("registry", "matching", "feedback"):
                told += HTTP.get(f"{system.address}/api/{name}/communities/{community['id']}/kit-figures").json()["facts"]
        if told >= facts:
            return
        time.sleep(0.02)
    raise AssertionError(f"{facts} facts were not told; the season's exit code is {season.poll()}")
