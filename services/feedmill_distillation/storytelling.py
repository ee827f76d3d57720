"""Finds which entries tell the same story, so that it is distilled once."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from weakref import WeakValueDictionary

from feedmill.models.distillates import ContentToDistill, Distillate, Distiller, Recipe
from feedmill.store import Store
from feedmill.store.stories import Teller, Telling
from feedmill.telemetry.metrics import STORIES_JOINED
from feedmill_distillation.article import Article
from feedmill_distillation.fingerprints import fingerprint
from feedmill_distillation.lines import numbered_lines
from feedmill_distillation.retelling import retold
from feedmill_distillation.stories import Told, same_story

# Of those that came together, as of those in the store.
_MOST_COMPARED = 5


class Storyteller:
    """Knows the story of every entry of these days."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._placing = asyncio.Lock()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def placed(self, contents: Sequence[ContentToDistill]) -> dict[int, ContentToDistill]:
        """Return, by entry, contents with the story that each tells, if somebody told it before."""
        new = [content for content in contents if content.story is None]
        stories = await self._join(new) if new else {}
        return {
            content.entry_id: content.model_copy(update={"story": stories[content.entry_id]})
            if stories.get(content.entry_id)
            else content
            for content in contents
        }

    async def _join(self, contents: Sequence[ContentToDistill]) -> dict[int, int | None]:
        """Find the stories of some entries and write them down: None for one that is new."""
        # Nobody else in this process waits for the store's lock with a connection in hand.
        async with self._placing:
            # In threads: a long text takes a tenth of a second, in which heartbeats and calls go on.
            new = await asyncio.to_thread(_tellings, contents)
            if not new:
                return {}
            async with self._store.transaction() as tx:
                like = await tx.stories.like(new)
                told = await asyncio.to_thread(_told, new, contents, like)
                await tx.stories.join(told)
        for telling in told:
            STORIES_JOINED.labels("new" if _is_first(telling) else "retold").inc()
        return {each.entry_id: None if _is_first(each) else each.story for each in told}

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
        async with self._store.statement() as tx:
            found = await tx.stories.told_before(content.entry_id, content.story, recipe.id)
        if found is None:
            return None
        lines = numbered_lines(content.text, characters=len(content.text))
        article = Article(content.text, lines, title=content.title, language=content.language)
        return retold(*found, article)


def _tellings(contents: Sequence[ContentToDistill]) -> list[Telling]:
    """Return by what each text is found; one without words is found by nothing."""
    found = (Telling(each.entry_id, each.content_hash, fingerprint(each.text)) for each in contents)
    return [telling for telling in found if telling.keys]


def _told(
    new: Sequence[Telling],
    contents: Sequence[ContentToDistill],
    like: Mapping[int, Sequence[Teller]],
) -> list[Telling]:
    """Return which story each tells: one after the other, so that those that came together meet."""
    texts = {content.entry_id: Told(content.text, content.language) for content in contents}
    told: list[Telling] = []
    for telling in new:
        text = texts[telling.entry_id]
        stored = (
            (Told(teller.text, teller.language), teller.story)
            for teller in like.get(telling.entry_id, ())
        )
        beside = ((texts[each.entry_id], each.story) for each in _likest(telling, told))
        same = (story for other, story in chain(stored, beside) if same_story(text, other))
        told.append(telling._replace(story=next(same, telling.entry_id)))
    return told


def _likest(telling: Telling, others: Sequence[Telling]) -> list[Telling]:
    keys = set(telling.keys)
    common = {each.entry_id: len(keys.intersection(each.keys)) for each in others}
    likest = sorted(others, key=lambda each: -common[each.entry_id])[:_MOST_COMPARED]
    return [each for each in likest if common[each.entry_id]]


def _is_first(telling: Telling) -> bool:
    return telling.story == telling.entry_id
