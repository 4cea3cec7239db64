"""The sample community: its size, its references, and that its requests were written without looking at the phrases."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from deploy.sample_community import SAMPLE_FOLDER, Category, Item, Sample, SampleError, load_sample
from shared.events.registry import OrganizationClass
from shared.events.words import Channel, ProjectKind


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load_sample()


def phrases(sample: Sample) -> Iterator[tuple[str, str]]:
    """Every phrase with the id of the category or item it belongs to."""
    for category in sample.taxonomy.categories:
        things: tuple[Category | Item, ...] = (category, *category.items)
        for thing in things:
            for phrase in (*thing.phrases.zh, *thing.phrases.en):
                yield thing.id, phrase


def test_it_has_the_size_the_article_gives_and_the_plan_asks_for(sample: Sample) -> None:
    assert len(sample.taxonomy.categories) == 12
    assert len(sample.taxonomy.items) == 68
    assert len(sample.compounds) == 7
    assert sum(compound.residents for compound in sample.compounds) == 12540
    assert len(sample.organizations) == 26
    assert {organization.organization_class for organization in sample.organizations} == set(get_args(OrganizationClass))
    assert len(sample.offers) >= 80
    assert {offer.fee_mode for offer in sample.offers} == {"free", "low", "paid"}
    assert len(sample.requests) == 400


def test_its_season_has_everything_the_article_tells_of(sample: Sample) -> None:
    origins = Counter(organization.origin for organization in sample.organizations)
    assert origins["incubated"] == 2 and origins["formed"] == 1 and origins["absorbed"] == 23
    under = {name: [o.name_zh for o in sample.organizations if name in o.parents] for name in ("大家乐文体协会", "应急抢修队")}
    assert "快乐健身舞蹈队" in under["大家乐文体协会"] and under["应急抢修队"]
    assert len(sample.activities) == 40
    assert sum(activity.beneficiaries or 0 for activity in sample.activities) > 2600
    assert len(sample.projects) >= 12 and {project.kind for project in sample.projects} == set(get_args(ProjectKind))
    wanted = Counter(project for claim in sample.claims for project in claim.projects)
    assert len([project for project, claims in wanted.items() if claims > 1]) >= 10, "real conflicts"
    assert [project.id for project in sample.projects if not wanted[project.id]] == ["work-for-all"]
    assert {talent.how for talent in sample.talents} == {"joined", "led", "founded", None}
    assert all(expert.conflicts for expert in sample.experts)


def test_every_item_has_at_least_eight_phrases_in_chinese_and_some_in_english(sample: Sample) -> None:
    assert [item.id for item in sample.taxonomy.items if len(set(item.phrases.zh)) < 8] == []
    assert [item.id for item in sample.taxonomy.items if not item.phrases.en] == []


def test_the_requests_of_the_demo_come_over_all_six_channels_in_both_languages(sample: Sample) -> None:
    first = sample.requests[:200]
    assert {request.channel for request in first} == set(get_args(Channel))
    assert {request.language for request in first} == {"zh", "en"}
    assert [request.number for request in sample.requests] == list(range(1, len(sample.requests) + 1))
    assert all(a.day <= b.day for a, b in zip(sample.requests, sample.requests[1:], strict=False))


def test_the_requests_of_the_demo_are_of_every_kind(sample: Sample) -> None:
    kinds = Counter(sample.labels[request.number].kind for request in sample.requests[:200])
    assert {"need", "two-needs", "complaint", "duplicate", "off-topic"} == set(kinds)
    second = [sample.labels[request.number].second_item for request in sample.requests]
    assert any(second)


def test_no_phrase_occurs_in_a_request(sample: Sample) -> None:
    """The requests were written without looking at the phrases, or the classifier would be examined on its own lessons."""
    found = [
        f"requests.csv number {request.number}: {phrase!r} of {thing}"
        for thing, phrase in phrases(sample)
        for request in sample.requests
        if phrase.casefold() in request.text.casefold()
    ]
    assert found == []


def test_no_phrase_is_given_to_two_things(sample: Sample) -> None:
    seen: dict[str, str] = {}
    twice = []
    for thing, phrase in phrases(sample):
        if seen.setdefault(phrase.casefold(), thing) != thing:
            twice.append(f"{phrase!r}: {seen[phrase.casefold()]} and {thing}")
    assert twice == []


def test_every_organization_has_a_hidden_quality_of_its_own(sample: Sample) -> None:
    qualities = [quality.quality for quality in sample.quality.values()]
    assert len(set(qualities)) == len(qualities) == 26
    assert min(qualities) < 0.2 and max(qualities) > 0.9


@pytest.mark.parametrize(
    ("file", "line", "old", "new", "says"),
    [
        ("offers.csv", 2, ",home-care,", ",home-scare,", "unknown item 'home-scare'"),
        ("offers.csv", 3, ",low,13.00,", ",free,13.00,", "a free offer has no price"),
        ("requests.csv", 2, ",website,", ",pigeon,", "channel: Input should be"),
        ("requests.csv", 3, ",lvyuan-terrace,", ",atlantis,", "unknown compound 'atlantis'"),
        ("labels.csv", 3, ",,,off-topic", ",,,need", "an off-topic request has no item"),
        ("quality.csv", 2, ",0.89,", ",1.89,", "quality: Input should be less than or equal to 1"),
        ("organizations.csv", 2, ",elderly;medical,", ",elderly;magic,", "unknown category 'magic'"),
        ("compounds.csv", 2, "fenghe-garden,", "fenghe-garden,one,more,", "not as many values"),
        ("compounds.csv", 1, "residents", "souls", "the header differs"),
        ("taxonomy.yaml", 4, "categories:", "categories: [", "while"),
        ("taxonomy.yaml", 6, "en: Employment", "of: Employment", "Field required"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, file: str, line: int, old: str, new: str, says: str) -> None:
    folder = shutil.copytree(SAMPLE_FOLDER, tmp_path / "sample")
    lines = (folder / file).read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new)
    (folder / file).write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SampleError) as error:
        load_sample(folder)
    if says != "while":
        assert f"{file}:{line}: " in str(error.value)
        assert says in str(error.value)
    else:
        assert f"{file}:" in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = shutil.copytree(SAMPLE_FOLDER, tmp_path / "sample")
    (folder / "labels.csv").unlink()
    with pytest.raises(SampleError, match=r"labels\.csv: the file is missing"):
        load_sample(folder)
