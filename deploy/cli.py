"""The command `fenghe`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from deploy.errors import CommandError
from deploy.sentences import key_sentences, sentences
from deploy.services import NAMES

app = typer.Typer(help="Fenghe: the system that runs a social-organization service supermarket.", no_args_is_help=True)
CommandT = TypeVar("CommandT", bound=Callable[..., None])

Data = Annotated[Path, typer.Option("--data", help="The data folder of the all-in-one.", metavar="DIR")]
DATA = Path("data")
Community = Annotated[str | None, typer.Option(help="Id or slug of a community.")]


@app.command()
def up(
    data: Data = DATA,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = 8080,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    sample: Annotated[bool, typer.Option("--sample", help="Open the sample community, once.")] = False,
) -> None:
    """Run all four services in one process, with an embedded Valkey and SQLite in a data folder."""
    gc.disable()  # what is loaded stays; to collect meanwhile costs a tenth of the start (`single.up` switches it on)
    from deploy import single
    from deploy.data_folder import DataFolder

    def ready(address: str, folder: DataFolder) -> None:
        if sample:
            _open_sample(address, folder)
        print(f"Fenghe is ready at {address}", flush=True)

    with sentences():
        single.up(data, host, port, ready)


def _open_sample(address: str, folder: Any) -> None:
    """Open the sample, unless that was once done to its end: what its people changed since is theirs."""
    if folder.sample_opened.exists():
        return
    from deploy.sample_community import load_sample
    from deploy.season import open_sample
    from shared.access import load_signer

    token = load_signer(str(folder.keys / "registry.key.json")).sign(role="operator")
    print("Opening the sample community…", file=sys.stderr, flush=True)
    open_sample(address, token, load_sample())
    folder.sample_opened.touch()


@app.command()
def run(service: Annotated[str, typer.Argument(help=" | ".join(NAMES))]) -> None:
    """Run one service, with its settings from the environment."""
    from deploy import running
    from shared import logs
    from shared.settings import from_environment

    with sentences():
        value = _service(service)
        settings = from_environment()
        logs.configure(settings.log_level, settings.log_format)
        code = running.run(value, settings)
    if code:
        raise typer.Exit(code)


@app.command()
def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="With FENGHE_DATABASE_URL: whose database it is.")] = None,
    data: Data = DATA,
) -> None:
    """Bring databases up to this version: the data folder's, or the one in FENGHE_DATABASE_URL."""
    from deploy.data_folder import databases
    from shared.migrations import upgrade

    with sentences(), databases(services or [], data, make=True) as opened:
        for service, database in opened:
            upgrade(service, database)
            print(f"{service.name}: up to date")


@app.command()
def token(
    role: Annotated[str, typer.Option(help="organization | station | expert | operator | system")],
    org: Annotated[str | None, typer.Option(help="Id of the organization, for the role organization.")] = None,
    community: Annotated[str | None, typer.Option(help="Id of the community, for every role but operator.")] = None,
    subject: Annotated[
        str | None,
        typer.Option(help="An opaque id of the holder, kept when a token is renewed; an expert gets one anyway."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="How long it is valid.")] = 90,
    data: Data = DATA,
) -> None:
    """Sign a token: with the key of the data folder, or the one in FENGHE_SIGNING_KEY."""
    import os

    from deploy.data_folder import DataFolder
    from shared.access import load_signer
    from shared.identifiers import new_id

    with sentences():
        if role not in ("organization", "station", "expert", "operator", "system"):
            raise CommandError(f"There is no role {role!r}; choose organization, station, expert, operator or system.")
        if role == "operator" and community is not None:
            raise CommandError("An operator belongs to no community; leave --community out.")
        if role != "operator" and not community:
            raise CommandError(f"The role {role} belongs to a community: give its id with --community.")
        if (role == "organization") != (org is not None):
            raise CommandError("--org and the role organization go together; give both, or neither.")
        if subject is not None and not 1 <= len(subject) <= 100:
            raise CommandError("--subject has 1 to 100 characters; give a shorter one, or none.")
        if subject is None and role == "expert":
            subject = new_id()
        path = os.environ.get("FENGHE_SIGNING_KEY") or str(DataFolder.used(data).keys / "registry.key.json")
        with key_sentences():
            signer = load_signer(path)
        signed = signer.sign(role=role, community=community, organization=org, subject=subject, days=days)  # type: ignore[arg-type]
        print(signed)


@app.command()
def keys(
    folder: Annotated[Path, typer.Argument(help="A folder for each key is made in it.", metavar="DIR")],
    rotate: Annotated[str | None, typer.Option(help="Give this issuer a new key: registry | matching.")] = None,
    forget: Annotated[str | None, typer.Option(help="Take out the public key of this id; its tokens end.")] = None,
) -> None:
    """Make the signing keys of services that run apart, where they are missing."""
    from deploy import signing_keys

    with sentences(), key_sentences():
        if forget:
            signing_keys.forget(folder, forget)
        elif rotate:
            print(signing_keys.rotate(folder, rotate))
        else:
            signing_keys.make(folder)


@app.command(name="import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV files; their headers say what they are.")],
    community: Annotated[str, typer.Option(help="Id or slug of the community.")],
    data: Data = DATA,
) -> None:
    """Take in CSV files. A bad row is reported with its line; the others go in."""
    from deploy.importing import import_files

    with sentences():
        if import_files(files, community, data):
            raise typer.Exit(1)


@app.command()
def classify(
    taxonomy: Annotated[Path, typer.Option(help="The taxonomy: YAML, with names and phrases.", metavar="FILE.yaml")],
    train: Annotated[
        Path | None, typer.Option(help="Texts with labels to learn from: JSON lines.", metavar="LABELLED.jsonl")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what in each text spoke for the first choice.")] = False,
    evaluate: Annotated[bool, typer.Option("--evaluate", help="The texts have labels: print how well they are read.")] = False,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="Read each text as it comes, without what the others' words teach.")
    ] = False,
) -> None:
    """Say what texts ask for: JSON lines from the standard input, {"text": …} each, read by any taxonomy. All of them are
    read together: by a small taxonomy, fifty or more for each answer help to read one another, by their words and never by
    their labels."""
    from deploy import classifying

    with sentences():
        if explain and evaluate:
            raise CommandError("Say --explain or --evaluate, not both: --evaluate prints figures in place of the readings.")
        if classifying.classify(taxonomy, train, classifying.Asked(explain, evaluate, one_by_one)):
            raise typer.Exit(1)


@app.command()
def allocate(
    instance: Annotated[Path, typer.Argument(help="The instance: JSON, or arrays in a .npz file.", metavar="INSTANCE")],
    result: Annotated[Path | None, typer.Argument(help="With --check: the result.", metavar="RESULT.json")] = None,
    check: Annotated[bool, typer.Option("--check", help="Prove the result from the two files alone, or refuse it.")] = False,
) -> None:
    """Allocate needs to organizations, provably best; the result as JSON on the standard output."""
    from deploy import allocating

    with sentences():
        if check != (result is not None):
            raise CommandError("--check and a result go together: fenghe allocate --check INSTANCE RESULT.json")
        if not allocating.allocate(instance, result):
            raise typer.Exit(1)


@app.command()
def events(
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is told from now on, until Ctrl-C.")] = False,
    type: Annotated[str | None, typer.Option(help="Only facts of this type.")] = None,
    community: Annotated[str | None, typer.Option(help="Only facts of this community (id).")] = None,
    data: Data = DATA,
) -> None:
    """Print the facts as CloudEvents in the JSON format, one a line."""
    from deploy.events import print_events

    with sentences():
        print_events(data, follow, type, community)


@app.command()
def subscriber(
    action: Annotated[Literal["add", "list", "rotate", "remove"], typer.Argument(help="What to do.", show_default=False)],
    name: Annotated[str | None, typer.Argument(help="Who it is, such as city-portal.", show_default=False)] = None,
    groups: Annotated[bool, typer.Option("--groups", help="With add: it may share the work in consumer groups.")] = False,
    at_once: Annotated[bool, typer.Option("--at-once", help="With rotate: the old password ends now.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="All-in-one: where others come in; default 6390.")] = None,
    at: Annotated[
        str | None, typer.Option(envvar="FENGHE_FEED_AT", help="Redis apart: HOST:PORT at which others reach it.")
    ] = None,
    data: Data = DATA,
) -> None:
    """Let other systems read the public feed: each gets a Redis user that may do nothing else."""
    from deploy import subscribing

    with sentences():
        subscribing.do(action, name, groups, at_once, port, at, data)


@app.command()
def status(
    url: Annotated[
        str | None, typer.Option(help="The deployment; default: FENGHE_PUBLIC_URL, or http://127.0.0.1:8080.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="FENGHE_OPERATOR_TOKEN", help="An operator's; default: signed as by `fenghe token`.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")] = False,
    data: Data = DATA,
) -> None:
    """Say how a deployment is: one table, and what to do about whatever is not well (then the exit code is 1)."""
    from deploy.status import show_status

    with sentences():
        if not show_status(url, token, json, data):
            raise typer.Exit(1)


@app.command()
def republish(
    services: Annotated[list[str] | None, typer.Argument(help="Whose facts; default: everybody's.")] = None,
    community: Annotated[str | None, typer.Option(help="Only the facts of this community (id).")] = None,
    data: Data = DATA,
) -> None:
    """Send the last fact of every subject again: a new or emptied listener is rebuilt by it."""
    from deploy import repair

    with sentences():
        repair.republish(services or [], community, data)


@app.command(name="dead-letters")
def dead_letters(
    services: Annotated[list[str] | None, typer.Argument(help="Whose; default: everybody's.")] = None,
    show: Annotated[str | None, typer.Option(help="Show the dead letter of this id whole, with its traceback.")] = None,
    replay: Annotated[str | None, typer.Option(help="Replay the dead letter of this id, also one that was set aside.")] = None,
    replay_cause: Annotated[
        str | None, typer.Option(help="Replay all that died of this cause, or of that of the dead letter of this id.")
    ] = None,
    replay_all: Annotated[bool, typer.Option("--replay-all", help="Replay all of a service.")] = False,
    set_aside: Annotated[
        str | None, typer.Option(help="Nothing can be made of the dead letter of this id: keep it, count it no longer.")
    ] = None,
    set_aside_cause: Annotated[
        str | None, typer.Option(help="Set aside all that died of this cause, or of that of the dead letter of this id.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is set aside; kept with it.")] = None,
    by: Annotated[str | None, typer.Option(help="Who sets it aside; default: the user of this machine.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Show those that were set aside, too.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Show the replays, and what became of each.")] = False,
    data: Data = DATA,
) -> None:
    """Show what could not be handled, grouped by cause; replay it, once the cause is mended; or set aside what never can be."""
    from deploy import repair

    with sentences():
        if history:
            repair.show_history(services or [], data)
            return
        if show:
            repair.show_dead_letter(_one(services), show, data)
            return
        if (reason is None) == bool(set_aside or set_aside_cause):
            raise CommandError("--set-aside (or --set-aside-cause) and --reason go together; give both, or neither.")
        if reason is not None:
            repair.set_dead_letters_aside(_one(services), set_aside, set_aside_cause, by, reason, data)
            return
        if not (replay or replay_cause or replay_all):
            repair.show_dead_letters(services or [], all, data)
            return
        if repair.replay_dead_letters(_one(services), replay, replay_cause, data):
            raise typer.Exit(1)


def _one(services: list[str] | None) -> str:
    if len(services or []) != 1:
        raise CommandError(
            "Name the one service whose dead letters are meant: fenghe dead-letters SERVICE --show…, --replay…, --set-aside…"
        )
    return (services or [""])[0]


@app.command()
def report(
    community: Annotated[str | None, typer.Option(help="Id or slug of a community; default: all.")] = None,
    season: Annotated[str | None, typer.Option(help="One season alone, such as 2026-Q4.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the figures to this file too.", metavar="FILE")] = None,
    data: Data = DATA,
) -> None:
    """Print the outcomes: activities, requests, projects and people reached, by category, class, organization and season."""
    from deploy.report import report as print_report

    with sentences():
        print_report(data, community, season, csv)


@app.command()
def demo(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 1,
    requests: Annotated[int | None, typer.Option(min=1, help="So many of the sample's requests; default: all.")] = None,
    communities: Annotated[
        int, typer.Option(min=1, help="How many communities play, with seeds from this one on, some side by side.")
    ] = 1,
    url: Annotated[str | None, typer.Option(help="A running deployment; default: a temporary all-in-one.")] = None,
    token: Annotated[str | None, typer.Option(envvar="FENGHE_OPERATOR_TOKEN", help="An operator's token, with --url.")] = None,
) -> None:
    """Play a season of a community, or of many, through the HTTP APIs, and print the figures."""
    from deploy.demo import run_demo

    with sentences():
        if url and not token:
            raise CommandError("--url needs an operator's token: --token or FENGHE_OPERATOR_TOKEN (see: fenghe token).")
        run_demo(base_url=url, json=json, seed=seed, requests=requests, token=token, communities=communities)


def _service(name: str) -> Any:
    from deploy.services import load

    if name not in NAMES:
        raise CommandError(f"There is no service {name!r}; choose one of {', '.join(NAMES)}.")
    return load(name)


if __name__ == "__main__":
    app()
