"""What the service makes of its settings."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from feedmill.config import DistillationSettings, StoreSettings
from feedmill.errors import SettingsError
from feedmill.store import Store, open_store
from feedmill.store.migrations import migrate
from feedmill_distillation import distilling
from feedmill_distillation.__main__ import open_service
from feedmill_distillation.kitchen import read_kitchen
from support.articles import store_articles
from support.distilling import FERRY, distill
from support.ladders import OwnWords, made_with
from support.model_server import open_model_server

DATABASE = "postgresql://user:password@127.0.0.1:1/none"
MODEL = {"model_url": "http://127.0.0.1:1/v1", "model_name": "small"}


def settings(**given: object) -> DistillationSettings:
    return DistillationSettings.model_validate({"database_url": DATABASE, **given})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        pytest.param({"recipe": "missing"}, "FEEDMILL_RECIPE: no recipe missing", id="recipe"),
        pytest.param(
            {"when_spent": "brief,missing"}, "FEEDMILL_WHEN_SPENT: no recipe missing", id="ladder"
        ),
        pytest.param(
            {**MODEL, "daily_budget": "1.5"},
            "FEEDMILL_DAILY_BUDGET: no price is known for small",
            id="a budget without a price",
        ),
        pytest.param(
            {"prices_file": "/missing.toml"}, "FEEDMILL_PRICES_FILE: /missing.toml", id="prices"
        ),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(given: dict[str, object], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        read_kitchen(settings(**given))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="nothing"),
        pytest.param(MODEL, id="no budget, no price"),
        pytest.param({**MODEL, "model_name": "gpt-4o-mini", "daily_budget": "1.5"}, id="a price"),
        pytest.param({**MODEL, "when_spent": ""}, id="no ladder"),
        pytest.param({"daily_budget": "", "recipes_dir": ""}, id="left empty"),
    ],
)
def test_settings_that_make_sense_are_taken(given: dict[str, object]) -> None:
    assert set(read_kitchen(settings(**given)).files) == {"standard", "brief"}


@pytest.mark.parametrize(
    ("recipe", "with_model", "made"),
    [
        pytest.param("standard", True, [("standard", "small")], id="the usual"),
        pytest.param("brief", True, [("brief", "small")], id="another"),
        pytest.param("own", True, [("own", "large")], id="one's own, with its own model"),
        pytest.param("extractive", True, [("extractive", "own words")], id="none, by choice"),
        pytest.param("standard", False, [("extractive", "own words")], id="no model"),
    ],
)
async def test_the_settings_choose_who_distils(
    store: Store, tmp_path: Path, recipe: str, with_model: bool, made: list[tuple[str, str]]
) -> None:
    (tmp_path / "own.md").write_text("+++\nmodel = 'large'\n+++\nBe yourself.")
    [entry_id] = await store_articles(store, FERRY)

    async with open_model_server() as server:
        model = {"model_url": server.url, "model_name": "small"} if with_model else {}
        told = settings(recipe=recipe, recipes_dir=tmp_path, **model)
        async with open_service(told, read_kitchen(told), store, OwnWords()) as service:
            await distill(service, [entry_id])

    assert await made_with(store, entry_id) == made


async def test_whoever_watches_learns_what_a_day_may_cost(store: Store) -> None:
    def ceiling(of: str) -> float | None:
        return REGISTRY.get_sample_value("feedmill_daily_ceiling", {"of": of})

    free = settings(**MODEL)
    limited = settings(**{**MODEL, "model_name": "gpt-4o-mini", "daily_budget": "1.5"})

    async with open_service(free, read_kitchen(free), store, OwnWords()):
        assert (ceiling("cost"), ceiling("tokens")) == (None, None)
    async with open_service(limited, read_kitchen(limited), store, OwnWords()):
        assert (ceiling("cost"), ceiling("tokens")) == (1.5, None)


async def test_recipes_are_offered_as_soon_as_there_is_a_place_for_them(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distilling, "_RETRY_SECONDS", 0.1)
    told = settings(**MODEL)
    async with (
        open_store(StoreSettings(database_url=empty_database_url)) as store,
        open_service(told, read_kitchen(told), store, OwnWords()) as service,
    ):
        offering = asyncio.create_task(service.offer())
        await asyncio.sleep(0.3)
        assert not offering.done()

        await asyncio.to_thread(migrate, empty_database_url)
        await asyncio.wait_for(offering, 30)

        async with store.transaction() as tx:
            offered = {recipe.name for recipe in await tx.recipes.offered()}
    assert "standard" in offered
