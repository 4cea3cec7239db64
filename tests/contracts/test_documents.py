"""What the documents for operators say, held against the code."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from shared.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
EXAMPLE = (ROOT / "deploy" / ".env.example").read_text()
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text()
FEED = (ROOT / "deploy" / "compose.feed.yaml").read_text()


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(rf"(?m)^\| `({PREFIX}\w+)` \| ([^|]*?) \|", OPERATIONS))
    expected = {}
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "required" if field.is_required() else "none" if default == "" else f"`{str(default).lower()}`"
        expected[PREFIX + name.upper()] = f"`{default}`" if isinstance(default, str) and default else shown
    assert rows == expected


def test_every_variable_of_compose_is_explained_in_the_example() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE + FEED))
    explained = set(re.findall(r"(?m)^(\w+)=", EXAMPLE))
    assert used <= explained
    assert explained - used == {"COMPOSE_PROJECT_NAME"}


def test_the_door_for_subscribers_is_opened_by_a_file_of_its_own_and_on_the_loopback() -> None:
    opened = yaml.safe_load(FEED)["services"]
    assert opened.keys() == {"redis", "tools"}
    assert opened["redis"]["ports"] == ["${FENGHE_FEED_ADDRESS:-127.0.0.1}:${FENGHE_FEED_PORT:-6390}:6379"]


def test_no_password_stands_in_the_example() -> None:
    assert not [line for line in EXAMPLE.splitlines() if re.match(r"\w*PASSWORD=.", line)]


def test_compose_is_valid_for_both_of_its_programs() -> None:
    compose = yaml.safe_load(COMPOSE)
    # docker-compose 1.29 knows neither a name at the top nor, outside of a swarm, `deploy`.
    assert {key for key in compose if not key.startswith("x-")} == {"services", "volumes"}
    services = compose["services"]
    assert not [name for name, service in services.items() if {"deploy", "container_name"} & service.keys()]
    assert [name for name, service in services.items() if "ports" in service] == ["gateway"]
    lasting = {name for name, service in services.items() if service.get("restart") == "always"}
    assert lasting == services.keys() - {"keys", "migrate", "tools"}
    assert all("stop_grace_period" in services[name] for name in lasting)
