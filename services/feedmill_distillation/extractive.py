"""Distils with the article's own sentences: no model, no network, no key."""

from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    Distiller,
    EntryUndistillable,
    Recipe,
)
from feedmill.models.outcomes import Reason
from feedmill_distillation.extracts import VERSION, extract
from feedmill_distillation.prompt import recipe_for

# A second is usual; the first text of a process waits for libraries to load on a busy machine.
_SECONDS = 60.0


class ExtractiveDistiller:
    """Makes distillates without a model. An article that breaks its process costs one outcome."""

    def __init__(self, pool: IsolatedPool) -> None:
        self._pool = pool
        self.recipe: Recipe = recipe_for(Distiller.EXTRACTIVE, "lexrank", VERSION)

    async def distill(self, content: ContentToDistill) -> Distillate | EntryUndistillable:
        """Pick the sentences that stand for one article."""
        try:
            made = await self._pool.run(_SECONDS, extract, content.text, content.language)
        except IsolationError as error:
            return EntryUndistillable(
                entry_id=content.entry_id, reason=Reason.EXTRACTOR_FAILED, detail=str(error)
            )
        if made is None:
            return EntryUndistillable(entry_id=content.entry_id, reason=Reason.NO_TEXT)
        return made
