from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.gateway import TOKEN, ScriptedGateway, scripted_gateway
from support.person import Person

CHOICE = {"recipe": "brief", "language": "de"}
BRIEF = {"name": "brief", "distiller": "model", "model": "small", "language": None}
LINE = {
    "day": "2026-03-01",
    "feedId": 7,
    "feedTitle": "Mill \u001b[31mnews",
    "recipe": "brief",
    "model": "small",
    "calls": 3,
    "promptTokens": 300,
    "completionTokens": 60,
    "cost": 0.0123,
    "unpricedCalls": 0,
}


@pytest_asyncio.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedGateway]:
    async with scripted_gateway() as serving:
        monkeypatch.setenv("FEEDMILL_URL", serving.url)
        monkeypatch.setenv("FEEDMILL_TOKEN", TOKEN)
        serving.answers["GET /api/v1/recipes"] = (200, {"items": [BRIEF]})
        serving.answers["GET /api/v1/recipes/choice"] = (200, CHOICE)
        serving.answers["PATCH /api/v1/recipes/choice"] = (200, CHOICE)
        yield serving


async def test_recipes_shows_what_there_is_and_what_is_chosen(
    person: Person, gateway: ScriptedGateway
) -> None:
    said = await person.types("recipes")

    heading, brief, chosen = said.out.splitlines()
    assert heading.split() == ["recipe", "by", "model", "language"]
    assert brief.rstrip().split(maxsplit=3) == ["brief", "model", "small", "the article's own"]
    assert chosen == "Yours: brief, in de."


async def test_recipes_before_any_worker_has_started(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.answers["GET /api/v1/recipes"] = (200, {"items": []})
    gateway.answers["GET /api/v1/recipes/choice"] = (200, {"recipe": None, "language": None})

    said = await person.types("recipes")

    assert said.out.splitlines() == [
        "No worker has offered a recipe yet.",
        "Yours: what the workers are set to, in each article's own language.",
    ]


@pytest.mark.parametrize(
    ("words", "body", "answer"),
    [
        (["brief"], {"recipe": "brief"}, "Yours: brief, in de."),
        (["--language", "de"], {"language": "de"}, "Yours: brief, in de."),
        ([""], {"recipe": ""}, "Yours: brief, in de."),
        (["brief", "--feed", "7"], {"recipe": "brief", "feedId": 7}, "New entries there"),
        (
            ["brief", "--category", "Tech / AI"],
            {"recipe": "brief", "category": ["Tech", "AI"]},
            "New entries there",
        ),
    ],
    ids=["all", "a language", "taken back", "a feed", "a category"],
)
async def test_choose_sends_what_is_given_and_nothing_else(
    person: Person,
    gateway: ScriptedGateway,
    words: list[str],
    body: dict[str, object],
    answer: str,
) -> None:
    said = await person.types("choose", *words)

    assert gateway.bodies == [body]
    assert said.out.startswith(answer)


async def test_spend_shows_calls_tokens_and_money(person: Person, gateway: ScriptedGateway) -> None:
    unpriced = {**LINE, "recipe": "own", "cost": 0.0, "unpricedCalls": 3}
    mixed = {**LINE, "day": "2026-02-28", "unpricedCalls": 1}
    spent = {"items": [LINE, unpriced, mixed], "todayCost": 0.0123, "todayTokens": 720}
    gateway.answers["GET /api/v1/spend"] = (200, spent)

    said = await person.types("spend", "--days", "2")

    today, heading, *lines = said.out.splitlines()
    assert gateway.asked == ["GET /api/v1/spend?days=2"]
    assert today == "Today: 0.0123, 720 tokens"
    assert heading.split() == ["day", "feed", "recipe", "model", "calls", "tokens", "cost"]
    assert [" ".join(line.split()) for line in lines] == [
        "2026-03-01 7 Mill [31mnews brief small 3 360 0.0123",
        "7 Mill [31mnews own small 3 360 unknown",
        "2026-02-28 7 Mill [31mnews brief small 3 360 0.0123 and more",
    ]


@pytest.mark.parametrize(
    ("words", "path"),
    [(["recipes"], "recipes"), (["choose", "brief"], "choice"), (["spend"], "spend")],
    ids=["recipes", "choose", "spend"],
)
async def test_programs_get_json(
    person: Person, gateway: ScriptedGateway, words: list[str], path: str
) -> None:
    gateway.answers["GET /api/v1/spend"] = (200, {"items": []})

    said = await person.types(*words, "--json")

    assert said.out.startswith("{")
