"""Who could be asked for a set of needs: one statement for all of them.

The database filters by the hard conditions of `rank.conditions` and takes of each kind of need the SHORTLIST of the best
standing, by an index; an offer that no need could have is never read. The requests of a kind (same item, compound, wishes)
share a list.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from services.matching import weighing
from services.matching.models import Offer
from services.matching.rank import SHORTLIST, Opening, distance_between
from services.matching.rules import SERVING
from shared.clock import CIVIL_TIME, midnight

WEEK, SEASON = timedelta(days=7), timedelta(days=90)
FULL = 100_000
NEVER_FULL = 10_000
"""What was asked of an offer that takes so many a week is not counted."""


class Kind(NamedTuple):
    """What needs have in common that the same offers are looked at for. `only`: none but these offers (ids)."""

    community: str
    item: str
    compound: str
    fee_limit: Decimal | None = None
    speaks: str | None = None
    wanted_at: datetime | None = None
    only: tuple[str, ...] | None = None


class Found(NamedTuple):
    """What was found for a kind: the openings, the community's own weights, and the item's names ([zh, en]). `is_cut`: there
    may be more openings."""

    openings: list[Opening]
    weights: Mapping[str, float]
    names: tuple[str, str] | None
    is_cut: bool = False


def openings(
    session: Session, kinds: Collection[Kind], today: Mapping[str, date], every: bool = False, most: int | None = None
) -> dict[Kind, Found]:
    """The openings for each kind of need, those that meet the conditions, the SHORTLIST of the best standing (or `most`); or
    with `every` all published offers of the item, to see by which condition they fail. One statement (and one more where
    somebody named a time). `today` is each community's."""
    listed = list(dict.fromkeys(kinds))
    if not listed:
        return {}
    open_hours = _open_hours(session, listed)
    sqlite = session.get_bind().dialect.name == "sqlite"
    rows = [
        {
            "n": n,
            "community": kind.community,
            "item": kind.item,
            "compound": kind.compound,
            "fee_limit": None if kind.fee_limit is None else float(kind.fee_limit),
            "speaks": kind.speaks,
            "hours": open_hours.get((kind.community, kind.wanted_at)),
            "only_offers": kind.only,
            "today": today[kind.community].isoformat(),
            "day": _moment(midnight(today[kind.community]), sqlite),
            "week": _moment(midnight(today[kind.community] - WEEK + timedelta(days=1)), sqlite),
            "season": _moment(midnight(today[kind.community] - SEASON), sqlite),
        }
        for n, kind in enumerate(listed)
    ]
    statement = _statement(sqlite, every)
    most = FULL if every else most or SHORTLIST
    result = session.execute(statement, {"kinds": json.dumps(rows), "most": most})
    found: dict[Kind, Found] = {kind: Found([], {}, None) for kind in listed}
    for row in result.mappings():
        kind = listed[row["n"]]
        before = found[kind]
        if row["offer"] is None:
            found[kind] = Found([], _parsed(row["weights"]) or {}, _names(row["names"]))
            continue
        if not before.openings:
            found[kind] = before = Found(before.openings, _parsed(row["weights"]) or {}, _names(row["names"]))
        before.openings.append(_opening(row))
    return {kind: one._replace(is_cut=len(one.openings) >= most) for kind, one in found.items()}


def _opening(row: Any) -> Opening:
    rated = row["stars"] is not None
    here, base = _parsed(row["here"]), _parsed(row["base"])
    return Opening(
        organization=row["organization"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        offer=row["offer"],
        title_zh=row["title_zh"],
        title_en=row["title_en"],
        item=row["item"],
        fee_mode=row["fee_mode"],
        price=row["price"],
        unit=row["unit"],
        area=_parsed(row["area"]),
        weekly_capacity=row["weekly_capacity"],
        languages=_parsed(row["languages"]),
        serves=bool(row["serves"]),
        agreed=bool(row["agreed"]),
        is_open=bool(row["is_open"]),
        barred=bool(row["barred"]),
        used=row["used"],
        used_before=row["used_before"],
        awards=row["awards"],
        meters=_meters(tuple(here), tuple(base)) if here and base else None,
        price_of_capacity=(row["price_of_capacity"] or 0.0) / weighing.MOST,
        satisfaction=row["score"] / 100 if rated else None,
        low=row["low"] / 100 if rated and row["low"] is not None else None,
        high=row["high"] / 100 if rated and row["high"] is not None else None,
        stars=row["stars"],
        ratings=row["ratings"] if rated else 0,
    )


def _open_hours(session: Session, kinds: Collection[Kind]) -> dict[tuple[str, datetime | None], list[str]]:
    """Of each community's opening hours those that are open at each moment somebody named."""
    wanted: dict[str, set[datetime]] = defaultdict(set)
    for kind in kinds:
        if kind.wanted_at is not None:
            wanted[kind.community].add(kind.wanted_at)
    if not wanted:
        return {}
    statement = select(Offer.community, Offer.hours).where(col(Offer.community).in_(wanted), Offer.status == "published")
    found: dict[tuple[str, datetime | None], list[str]] = {
        (community, moment): [] for community, moments in wanted.items() for moment in moments
    }
    for community, hours in session.exec(statement.distinct()):
        for moment in wanted[community]:
            if open_at(hours, moment):
                found[community, moment].append(hours)
    return found


@lru_cache(maxsize=10_000)
def open_at(hours: str, moment: datetime) -> bool:
    """Whether hours (OpenStreetMap opening_hours) are open at a moment, by the community's own time; hours that nobody stated
    or that cannot be read are no reason to leave anybody out."""
    import opening_hours

    if not hours or not opening_hours.validate(hours):
        return True
    return bool(opening_hours.OpeningHours(hours).is_open(moment.astimezone(CIVIL_TIME).replace(tzinfo=None)))


@lru_cache(maxsize=10_000)
def _parsed(value: Any) -> Any:
    return None if value is None else json.loads(value)


@lru_cache(maxsize=10_000)
def _meters(one: tuple[float, float], other: tuple[float, float]) -> float:
    return distance_between(one, other)


def _names(value: Any) -> tuple[str, str] | None:
    names = _parsed(value)
    return None if names is None else (names[0], names[1])


def _moment(moment: datetime, sqlite: bool) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if sqlite else moment.isoformat()


_COLUMNS = {
    **dict.fromkeys(("community", "item", "compound", "speaks"), "text"),
    "n": "int",
    "fee_limit": "numeric",
    "hours": "jsonb",
    "only_offers": "jsonb",
    "today": "date",
    **dict.fromkeys(("day", "week", "season"), "timestamptz"),
}
_COUNTED = "('made', 'accepted', 'delivered')"
_SERVING = ", ".join(f"'{status}'" for status in SERVING)


_CONFLICT = """(SELECT 1 FROM conflicts c WHERE c.organization = o.organization AND c.ended_at IS NULL AND c.request IS NULL
    AND (c.compound IS NULL OR c.compound = k.compound) AND (c.item IS NULL OR c.item = k.item))"""


def _agreement(covers: str) -> str:
    return f"""(SELECT 1 FROM agreements a WHERE a.organization = o.organization AND a.community = o.community
        AND a.status = 'in-force' AND a.starts_on <= k.today AND a.ends_on >= k.today AND {covers})"""  # noqa: S608


@lru_cache(maxsize=4)
def _statement(sqlite: bool, every: bool) -> sa.TextClause:
    """The statement in a dialect. What differs: lists in JSON, and how a limited list is taken for each row."""

    def lists(column: str, value: str) -> str:
        if sqlite:
            return f"EXISTS (SELECT 1 FROM json_each({column}) AS listed WHERE listed.value = {value})"  # noqa: S608
        return f"({column} ? {value})"

    def is_none(column: str) -> str:
        kind = f"json_type({column})" if sqlite else f"jsonb_typeof({column})"
        return f"({column} IS NULL OR {kind} = 'null')"

    def text(column: str) -> str:
        return column if sqlite else f"CAST({column} AS text)"

    def within(column: str, key: str) -> str:
        return f"json_extract({column}, '$.\"' || {key} || '\"')" if sqlite else f"CAST({column} -> {key} AS text)"

    if sqlite:
        fields = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in _COLUMNS)
        kinds = f"SELECT {fields} FROM json_each(:kinds)"  # noqa: S608
    else:
        typed = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        kinds = f"SELECT * FROM jsonb_to_recordset(CAST(:kinds AS jsonb)) AS listed ({typed})"  # noqa: S608
    conditions = {
        "serves": f"g.status IN ({_SERVING})",
        "agreed": "EXISTS " + _agreement(lists("a.items", "k.item")),
        "in_area": f"({is_none('o.area')} OR {lists('o.area', 'k.compound')})",
        "is_open": f"(k.hours IS NULL OR {lists('k.hours', 'o.hours')})",
        "understood": f"(k.speaks IS NULL OR {lists('o.languages', 'k.speaks')})",
        "affordable": "(k.fee_limit IS NULL OR o.price IS NULL OR CAST(o.price AS NUMERIC) <= k.fee_limit)",
        "not_barred": "NOT EXISTS " + _CONFLICT,
        "has_place": f"{_asked('AND r.made_at >= k.week')} < o.weekly_capacity",
    }
    chosen = "o.community = k.community AND o.item = k.item AND o.status = 'published'"
    chosen += f" AND (k.only_offers IS NULL OR {lists('k.only_offers', 'o.id')})"
    if not every:
        chosen += "".join(f" AND {condition}" for condition in conditions.values())
    best = (
        f"FROM offers o JOIN organizations g ON g.id = o.organization WHERE {chosen}"
        " ORDER BY o.standing DESC, o.title_zh DESC LIMIT :most"
    )
    if sqlite:
        taken = f"LEFT JOIN offers o ON o.id IN (SELECT o.id {best})"
    else:
        taken = f"LEFT JOIN LATERAL (SELECT o.* {best}) o ON true"
    judged = {name: conditions[name] if every else "true" for name in ("serves", "agreed", "is_open")}
    return sa.text(
        f"""
        WITH given AS MATERIALIZED ({kinds}),
        kinds AS MATERIALIZED (
            SELECT given.*, m.places, {text("m.weights")} AS weights, {within("m.places", "given.compound")} AS here,
                (SELECT {within("t.names", "given.item")} FROM taxonomies t WHERE t.community = given.community
                    ORDER BY t.version DESC, t.id DESC LIMIT 1) AS names
            FROM given LEFT JOIN communities m ON m.id = given.community
        )
        SELECT k.n, o.id AS offer, o.item, o.title_zh, o.title_en, o.fee_mode, o.price, o.unit, o.weekly_capacity,
            {text("o.area")} AS area, {text("o.languages")} AS languages, o.organization, g.name_zh, g.name_en,
            s.score, s.low, s.high, s.stars, s.ratings, p.price AS price_of_capacity,
            k.weights, k.here, k.names, {within("k.places", "g.based_in")} AS base,
            {judged["serves"]} AS serves, {judged["agreed"]} AS agreed, {judged["is_open"]} AS is_open,
            {"NOT " + conditions["not_barred"] if every else "false"} AS barred,
            {_asked("AND r.made_at >= k.week")} AS used,
            {_asked("AND r.made_at >= k.week AND r.made_at < k.day")} AS used_before,
            (SELECT count(*) FROM assignments w WHERE w.organization = o.organization AND w.assigned_at >= k.season
                AND w.assigned_at < k.day AND w.ended_at IS NULL) AS awards
        FROM kinds k
        {taken}
        LEFT JOIN organizations g ON g.id = o.organization
        LEFT JOIN satisfactions s ON s.organization = o.organization AND s.community = o.community
        LEFT JOIN capacity_prices p ON p.organization = o.organization AND p.community = o.community
        """  # noqa: S608
    )


def _asked(when: str) -> str:
    counted = f"SELECT count(*) FROM referrals r WHERE r.offer = o.id AND r.status IN {_COUNTED} {when}"  # noqa: S608
    return f"(CASE WHEN o.weekly_capacity >= {NEVER_FULL} THEN 0 ELSE ({counted}) END)"
