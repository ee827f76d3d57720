"""Finds which entries tell the same story, so that it is distilled once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from feedmill.models.distillates import ContentToDistill, Distillate, Distiller, Recipe
from feedmill.store import Store
from feedmill.store.stories import Teller
from feedmill.telemetry.metrics import STORIES_JOINED
from feedmill_distillation.article import Article
from feedmill_distillation.fingerprints import fingerprint
from feedmill_distillation.lines import numbered_lines
from feedmill_distillation.retelling import retold
from feedmill_distillation.stories import Told, same_story


class Storyteller:
    """Knows the story of every entry of these days."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def placed(self, content: ContentToDistill) -> ContentToDistill:
        """Return an entry's content with the story that it tells, if somebody told it before."""
        # In threads: a long text takes a tenth of a second, in which heartbeats and calls go on.
        keys = await asyncio.to_thread(fingerprint, content.text)
        if not keys:
            return content
        async with self._store.transaction() as tx:
            story = await tx.stories.known(content.entry_id, content.content_hash)
            if story is None:
                told = Told(content.text, content.language)
                tellers = await tx.stories.like(content.entry_id, keys)
                teller = await asyncio.to_thread(_first_same, told, tellers)
                story = teller.story if teller else None
                await tx.stories.join(
                    content.entry_id, content.content_hash, keys, story or content.entry_id
                )
                STORIES_JOINED.labels("retold" if teller else "new").inc()
        return content.model_copy(update={"story": story})

    @asynccontextmanager
    async def turn(self, content: ContentToDistill) -> AsyncIterator[None]:
        """Let nobody else in this process distil the same story while the block lasts."""
        story = content.story if content.story is not None else content.entry_id
        lock = self._turns.get(story) or asyncio.Lock()
        self._turns[story] = lock
        async with lock:
            yield

    async def told_before(self, content: ContentToDistill, recipe: Recipe) -> Distillate | None:
        """Return what a model made of this story in another entry, if it is true of this text too."""
        # Picking sentences costs nothing, and its sentences are those of one text.
        if content.story is None or recipe.distiller is not Distiller.MODEL:
            return None
        async with self._store.transaction() as tx:
            found = await tx.stories.told_before(content.entry_id, content.story, recipe.id)
        if found is None:
            return None
        lines = numbered_lines(content.text, characters=len(content.text))
        article = Article(content.text, lines, title=content.title, language=content.language)
        return retold(*found, article)


def _first_same(told: Told, tellers: Sequence[Teller]) -> Teller | None:
    same = (each for each in tellers if same_story(told, Told(each.text, each.language)))
    return next(same, None)
