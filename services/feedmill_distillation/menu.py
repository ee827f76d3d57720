"""Which distiller a choice of recipe means, and which follow when the day's budget is spent."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    EntryUndistillable,
    Recipe,
    RecipeChoice,
)
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)


class EntryDistiller(Protocol):
    """Makes one distillate. `recipe` says how: what one entry got, the same text may have again."""

    recipe: Recipe

    async def distill(self, content: ContentToDistill) -> Distillate | EntryUndistillable: ...


class LinguistDistiller(EntryDistiller, Protocol):
    """One that can write in another language than the article's."""

    def in_language(self, language: str | None) -> EntryDistiller: ...


class Menu:
    """What there is to choose from.

    Parameters
    ----------
    usual
        For those who chose nothing, or what is not there any more.
    local
        Distils what its publisher keeps from language models; asks nobody outside this machine.
    named
        By the name that people choose.
    ladder
        What comes next, in turn, when there is no room in the day's budget.
    """

    def __init__(
        self,
        usual: EntryDistiller,
        local: EntryDistiller,
        named: Mapping[str, EntryDistiller] | None = None,
        ladder: Sequence[EntryDistiller] = (),
    ) -> None:
        self._usual = usual
        self._local = local
        self._named = dict(named or {})
        self._ladder = tuple(ladder)
        self._unknown: set[str] = set()

    def rungs(self, content: ContentToDistill, choice: RecipeChoice) -> list[EntryDistiller]:
        """Return who may distil an article for those who made a choice, the first who can does."""
        if content.withheld is not None:
            return [self._local]
        chosen = [self._chosen(choice.name), *self._ladder]
        distinct = {each.recipe.id: each for each in reversed(_in_language(chosen, choice))}
        return list(reversed(distinct.values()))

    def recipes(self) -> list[Recipe]:
        """Return what can be chosen."""
        distinct = {each.recipe.name: each.recipe for each in (self._local, *self._named.values())}
        return list(distinct.values())

    def _chosen(self, name: str) -> EntryDistiller:
        if name and name not in self._named and name not in self._unknown:
            self._unknown.add(name)
            log.warning("recipe unknown", recipe=name)
        return self._named.get(name, self._usual)


def _in_language(
    distillers: Sequence[EntryDistiller], choice: RecipeChoice
) -> list[EntryDistiller]:
    return [
        each.in_language(choice.language) if hasattr(each, "in_language") else each
        for each in distillers
    ]
