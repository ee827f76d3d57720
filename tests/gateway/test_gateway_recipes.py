import pytest
from aiohttp import ClientSession

from feedmill.models.distillates import Distiller, Recipe
from feedmill.models.spending import Payer, Usage
from feedmill.store import Store
from support.library import Library
from support.spending import reserve, spend

CHOICE = "/api/v1/recipes/choice"
BRIEF = Recipe(id="b", name="brief", distiller=Distiller.MODEL, model="small", prompt_version="1")
OWN = Recipe(
    id="e", name="extractive", distiller=Distiller.EXTRACTIVE, model="x", prompt_version=""
)


async def offer(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.recipes.offer([BRIEF, OWN])


async def test_what_workers_offer_can_be_seen(api: ClientSession, store: Store) -> None:
    newer = BRIEF.model_copy(update={"id": "b2", "model": "large"})
    await offer(store)
    async with store.transaction() as tx:
        await tx.recipes.offer([newer])

    listed = await (await api.get("/api/v1/recipes")).json()

    assert listed["items"] == [
        {"name": "brief", "distiller": "model", "model": "large", "language": None},
        {"name": "extractive", "distiller": "extractive", "model": "x", "language": None},
    ]


async def test_the_nearest_choice_counts(
    api: ClientSession, store: Store, library: Library
) -> None:
    await offer(store)
    near, inside, outside = [
        await library.feed(f"https://{name}.example/feed") for name in ("near", "inside", "outside")
    ]
    for feed_id in (near, inside):
        await api.patch(f"/api/v1/feeds/{feed_id}", json={"category": ["Tech", "AI"]})
    for body in (
        {"recipe": "brief", "language": "de"},
        {"recipe": "extractive", "category": ["Tech"]},
        {"recipe": "brief", "feedId": near},
    ):
        assert (await api.patch(CHOICE, json=body)).status == 200

    async with store.transaction() as tx:
        chosen = await tx.recipes.chosen({near, inside, outside})
    # A neighbour follows all of them, and has chosen nothing.
    mine = {feed_id: [c.name for c in each if c.language] for feed_id, each in chosen.items()}
    assert mine == {near: ["brief"], inside: ["extractive"], outside: ["brief"]}
    feed = await (await api.get(f"/api/v1/feeds/{near}")).json()
    assert feed["recipe"] == "brief"

    await api.patch(CHOICE, json={"recipe": "", "feedId": near})
    await api.patch(CHOICE, json={"recipe": ""})
    assert await (await api.get(CHOICE)).json() == {"recipe": None, "language": "de"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"recipe": "missing"}, 404, id="no such recipe"),
        pytest.param({"recipe": "brief", "feedId": 1}, 404, id="no such feed"),
        pytest.param({"recipe": "brief", "category": ["X"]}, 404, id="no such category"),
        pytest.param({}, 422, id="nothing"),
        pytest.param({"language": "English, please"}, 422, id="no language"),
        pytest.param({"language": "de", "feedId": 1}, 422, id="a feed's language"),
        pytest.param({"recipe": "brief", "feedId": 1, "category": ["X"]}, 422, id="two places"),
        pytest.param({"feedId": 1}, 422, id="a place alone"),
    ],
)
async def test_a_choice_that_makes_no_sense_is_refused(
    api: ClientSession, store: Store, body: dict[str, object], status: int
) -> None:
    await offer(store)

    assert (await api.patch(CHOICE, json=body)).status == status


async def test_everybody_sees_the_distillate_they_chose(
    api: ClientSession, store: Store, library: Library
) -> None:
    await offer(store)
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id)
    await library.distillate(entry_id, "In brief.", BRIEF)
    await library.distillate(entry_id, "In full.")
    shown = []
    for recipe in ("", "brief"):
        await api.patch(CHOICE, json={"recipe": recipe})
        entry = await (await api.get(f"/api/v1/entries/{entry_id}")).json()
        shown.append((entry["summary"], entry["recipe"]))

    assert shown == [("In full.", None), ("In brief.", "brief")]


async def test_what_was_spent_is_shown(api: ClientSession, store: Store, library: Library) -> None:
    feed_id = await library.feed(title="News")
    used = Usage(calls=1, prompt_tokens=8, completion_tokens=2, cost_nanos=1_500_000)
    await spend(store, used, Payer(feed_id=feed_id, recipe="brief", model="small"))
    await reserve(store, used)

    spent = await (await api.get("/api/v1/spend", params={"days": 1})).json()

    [line] = spent.pop("items")
    assert spent == {
        "todayCost": 0.0015, "todayTokens": 10, "reservedCost": 0.0015, "reservedTokens": 10,
    }  # fmt: skip
    assert (line["feedTitle"], line["recipe"], line["calls"], line["cost"]) == (
        "News", "brief", 1, 0.0015,
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/spend", "/api/v1/recipes", CHOICE])
async def test_strangers_see_none_of_it(web: ClientSession, path: str) -> None:
    assert (await web.get(path)).status == 401
