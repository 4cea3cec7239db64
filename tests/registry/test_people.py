"""Experts and the talent pool: who they are stays with the station, and what was said of them may be changed."""

from __future__ import annotations

from shared.events import registry as facts
from shared.messaging.testing import Harness
from tests.registry.given import BASE, Town, open_town, refused


def test_who_somebody_is_stays_with_the_station(registry: Harness, town: Town) -> None:
    organization, canary = town.registered(), "金丝雀13800138000"
    person = {"community": town.id, "name": canary, "contact": canary}
    with town.telling("expert.enrolled", "talent.enrolled"):
        expert = town.post("/experts", person | {"categories": ["elderly", "elderly"], "conflicts": [organization]})
        talent = town.post("/talents", person | {"skills": ["leisure"]})
    assert (expert["categories"], expert["conflicts"]) == (["elderly"], [organization])
    with town.telling():
        for body, kind, field in [
            ({"categories": ["cooking"]}, "category-unknown", "categories"),
            ({"conflicts": ["nobody"]}, "organization-unknown", "conflicts"),
            ({"name": None}, "invalid", "name"),
        ]:
            refused(town.try_patch(f"/experts/{expert['id']}", body), 422, kind, field)
        refused(town.try_post("/talents", person | {"skills": ["cooking"]}), 422, "category-unknown", "skills")
        refused(town.try_post("/talents", person | {"skills": []}), 422, "invalid", "skills")
        assert town.try_patch(f"/experts/{expert['id']}", {"contact": f"{canary}0"}).is_success
    assert town.get(f"/experts/{expert['id']}", town.station)["contact"] == f"{canary}0"
    elsewhere = open_town(registry, "elsewhere")
    for path in (f"/experts/{expert['id']}", f"/talents/{talent['id']}", f"/experts?community={town.id}"):
        refused(registry.client.get(BASE + path, headers=elsewhere.station), 403, "forbidden")
        refused(registry.client.get(BASE + path, headers=registry.as_("expert", town.id)), 403, "forbidden")
    for kind, id in (("experts", expert["id"]), ("talents", talent["id"])):
        assert canary not in str(town.post(f"/{kind}/{id}/leaving"))
        gone = town.get(f"/{kind}/{id}", town.station)
        assert (gone["name"], gone["contact"], gone["status"]) == (None, None, "left")
    assert all(canary not in event.data.model_dump_json() for event in registry.told())


def test_a_talent_changes_and_what_was_said_of_one_by_mistake_is_taken_back(registry: Harness, town: Town) -> None:
    canary = "金丝雀13800138000"
    one, other = (
        town.post("/talents", {"community": town.id, "name": name, "skills": ["elderly"]})["id"] for name in ("甲", "乙")
    )
    formed, absorbed = town.organization(name_zh="互助社", origin="formed"), town.registered(name_zh="合唱团")
    town.post(f"/talents/{one}/links", {"organization": formed, "how": "founded"})
    town.post(f"/talents/{one}/links", {"organization": absorbed, "how": "joined"})
    with town.telling("talent.changed"):
        changed = town.try_patch(f"/talents/{one}", {"contact": canary, "skills": ["leisure", "leisure"]})
        assert changed.json()["skills"] == ["leisure"]
        assert town.try_patch(f"/talents/{one}", {"name": canary}).is_success
    assert town.get(f"/talents/{one}", town.station)["contact"] == canary
    path = f"/talents/{one}/unlinking"
    with town.telling():
        refused(town.try_patch(f"/talents/{one}", {"skills": ["cooking"]}), 422, "category-unknown", "skills")
        refused(town.try_post(path, {"organization": absorbed, "how": "led"}), 422, "link-unknown", "organization")
        refused(town.try_post(path, {"organization": "nobody", "how": "led"}), 422, "link-unknown", "organization")
    with town.telling("talent.unlinked"):
        left = town.post(path, {"organization": absorbed, "how": "joined"})
    assert [link["organization"] for link in left["links"]] == [formed]
    [event] = registry.told(facts.TalentUnlinked)
    assert (event.data.organization, event.data.how, len(event.data.links)) == (absorbed, "joined", 1)
    # A registered organization that is formed around talents keeps a founder.
    town.post(f"/organizations/{formed}/registration")
    founded = {"organization": formed, "how": "founded"}
    with town.telling():
        refused(town.try_post(path, founded), 409, "founder-missing", "how")
    with town.telling("talent.linked", "talent.unlinked"):
        town.post(f"/talents/{other}/links", founded)
        town.post(path, founded)
    assert canary not in "".join(fact.data.model_dump_json() for fact in registry.told())
