"""What the settings make of recipes and prices: which distillers there are, and what they may cost."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import openai

from feedmill.config import DistillationSettings
from feedmill.errors import SettingsError
from feedmill.models.spending import NANOS, Ceilings
from feedmill.store import Store
from feedmill.telemetry.metrics import DAILY_CEILING
from feedmill_distillation.endpoint import Endpoint
from feedmill_distillation.menu import EntryDistiller
from feedmill_distillation.model import ANSWER_SECONDS, ModelDistiller
from feedmill_distillation.prices import Price, read_prices
from feedmill_distillation.recipe_files import EXTRACTIVE, RecipeFile, read_recipes
from feedmill_distillation.till import Pace, StoreTill


class Kitchen(NamedTuple):
    """Recipes and prices as they were read, with the settings that say how they are used."""

    settings: DistillationSettings
    files: Mapping[str, RecipeFile]
    prices: Mapping[str, Price]

    def model_of(self, file: RecipeFile) -> str:
        """Return the model that a recipe is used with."""
        return file.model or self.settings.model_name or ""

    def distillers(
        self, client: openai.AsyncOpenAI, store: Store, local: EntryDistiller
    ) -> dict[str, EntryDistiller]:
        """Return a distiller for each recipe, by its name; those of one model share its endpoint."""
        models = {self.model_of(file) for file in self.files.values()}
        places = asyncio.Semaphore(self.settings.model_concurrency)
        tills = {model: self._till(store, model, places) for model in models}
        endpoints = {
            model: Endpoint(
                client,
                model,
                seconds=ANSWER_SECONDS,
                memory=till,
                streaming=self.settings.model_streaming,
            )
            for model, till in tills.items()
        }
        made: dict[str, EntryDistiller] = {EXTRACTIVE: local}
        for name, file in self.files.items():
            model = self.model_of(file)
            made[name] = ModelDistiller(endpoints[model], model, file, tills[model])
        return made

    def show_ceilings(self) -> None:
        """Tell those who watch what a day may cost, where there is a limit."""
        ceilings = {"cost": self.settings.daily_budget, "tokens": self.settings.daily_tokens}
        for what, most in ceilings.items():
            if most is not None:
                DAILY_CEILING.labels(what).set(float(most))

    def _till(self, store: Store, model: str, places: asyncio.Semaphore) -> StoreTill:
        settings = self.settings
        budget = settings.daily_budget
        return StoreTill(
            store,
            f"{settings.model_url} {model}",
            price=self.prices.get(model),
            ceilings=Ceilings(
                cost_nanos=None if budget is None else int(budget * NANOS),
                tokens=settings.daily_tokens,
            ),
            pace=Pace(
                requests=settings.model_requests_per_minute,
                tokens=settings.model_tokens_per_minute,
            ),
            places=places,
        )


def read_kitchen(settings: DistillationSettings) -> Kitchen:
    """Read the recipes and the prices, and check that the settings make sense with them.

    Raises
    ------
    SettingsError
        A file is wrong, a recipe is not there, or a model has no price while there is a budget.
    """
    kitchen = Kitchen(
        settings, read_recipes(settings.recipes_dir), read_prices(settings.prices_file)
    )
    known = {EXTRACTIVE, *kitchen.files}
    for setting, names in (("RECIPE", [settings.recipe]), ("WHEN_SPENT", settings.when_spent)):
        for name in names:
            if name not in known:
                raise SettingsError(
                    f"FEEDMILL_{setting}: no recipe {name}; there are {', '.join(sorted(known))}"
                )
    if settings.model_url is not None:
        _check_prices(kitchen)
    return kitchen


def _check_prices(kitchen: Kitchen) -> None:
    models = {kitchen.model_of(file) for file in kitchen.files.values()}
    unpriced = sorted(models - kitchen.prices.keys())
    if unpriced and kitchen.settings.daily_budget is not None:
        # A ceiling that does not know what calls cost would be none.
        raise SettingsError(
            f"FEEDMILL_DAILY_BUDGET: no price is known for {', '.join(unpriced)}; put what you pay "
            "(0 for a model of your own) into a file and name it in FEEDMILL_PRICES_FILE"
        )
