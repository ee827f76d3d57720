"""The same story in several feeds, on a real store: distilled once, true of each text."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    Distiller,
    KeyPoint,
    Passage,
    Recipe,
    SummarySentence,
)
from feedmill.store import Store
from feedmill.store.tables import stories
from feedmill_distillation.article import Article
from feedmill_distillation.distilling import DistillationService
from feedmill_distillation.lines import numbered_lines
from feedmill_distillation.prompt import recipe_for
from feedmill_distillation.retelling import retold
from support.articles import ENGLISH, store_articles
from support.distilling import NoDistiller, distill, stored

FRAMED = f"Norwick Gazette, the morning edition\n{ENGLISH}\nAll rights are reserved by the paper."
OTHER = ENGLISH.replace("12,500", "13,500")
OPENING = (
    "The harbour of Norwick opened a tidal power station on Monday that will supply 12,500 homes."
)


class Sayer:
    """Says the same of every article, after a while; counts how often it was asked."""

    def __init__(self, distiller: Distiller = Distiller.MODEL) -> None:
        self.recipe: Recipe = recipe_for(distiller, "sayer", "1")
        self.asked = 0

    async def distill(self, content: ContentToDistill) -> Distillate:
        self.asked += 1
        await asyncio.sleep(0.05)
        return made_of(content.text)


def made_of(text: str, said: str = OPENING) -> Distillate:
    start = max(0, text.find("The harbour of Norwick opened"))
    passage = {"start": start, "end": text.find("homes.", start) + 6}
    return Distillate(
        summary=said,
        sentences=(SummarySentence(start=0, end=len(said), sources=(Passage(**passage),)),),
        key_points=(KeyPoint(text=said, **passage),),
        relevance=0.5,
    )


def service(store: Store, sayer: Sayer, concurrency: int = 4) -> DistillationService:
    return DistillationService(store, sayer, local=NoDistiller(), concurrency=concurrency)


async def test_a_story_in_two_feeds_is_distilled_once_even_at_once(store: Store) -> None:
    ids = await store_articles(store, ENGLISH, FRAMED)
    sayer = Sayer()

    await distill(service(store, sayer), ids)

    assert sayer.asked == 1
    kept = [reused for entry_id in ids for _, reused in await stored(store, entry_id)]
    assert sorted(kept) == [False, True]


async def test_a_story_is_found_however_far_apart_its_entries_stand_in_a_slice(
    store: Store,
) -> None:
    between = [f"Notice {n}: nothing else is new in ward {n}." for n in range(25)]
    ids = await store_articles(store, ENGLISH, *between, FRAMED)
    sayer = Sayer()

    await distill(service(store, sayer), ids)

    assert sayer.asked == 1 + len(between)


async def test_each_text_gets_passages_of_its_own(store: Store) -> None:
    ids = await store_articles(store, ENGLISH, FRAMED)
    await distill(service(store, Sayer()), ids)

    async with store.transaction() as tx:
        owner = await tx.users.let_in("reader", "a token of enough characters")
        feed_id = await tx.feeds.add("https://example.org/feed")
        await tx.feeds.subscribe(owner, feed_id)
        shown = [await tx.reader.entry(owner, entry_id) for entry_id in ids]

    starts = [entry.key_points[0].start for entry in shown]
    assert starts[0] != starts[1]
    for entry in shown:
        [point] = entry.key_points
        assert (entry.text or "")[point.start : point.end] == OPENING
    assert [[other.entry_id for other in entry.also_in] for entry in shown] == [[ids[1]], [ids[0]]]


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param((ENGLISH, OTHER), id="another fact"),
        pytest.param((ENGLISH, "The bridge is closed."), id="another text"),
    ],
)
async def test_other_stories_are_distilled_each(store: Store, texts: Sequence[str]) -> None:
    ids = await store_articles(store, *texts)
    sayer = Sayer()

    await distill(service(store, sayer), ids)

    assert sayer.asked == 2


async def test_sentences_that_cost_nothing_are_picked_from_each_text(store: Store) -> None:
    ids = await store_articles(store, ENGLISH, FRAMED)
    sayer = Sayer(Distiller.EXTRACTIVE)

    await distill(service(store, sayer), ids)

    assert sayer.asked == 2


async def test_a_story_is_placed_once_however_often_it_is_tried(store: Store) -> None:
    ids = await store_articles(store, ENGLISH, FRAMED)
    running = service(store, Sayer())

    await distill(running, ids[:1])
    await distill(running, ids)
    await distill(running, ids)

    async with store.transaction() as tx:
        placed = await tx.connection.execute(select(stories.c.entry_id, stories.c.story))
    assert sorted(tuple(row) for row in placed) == [(ids[0], ids[0]), (ids[1], ids[0])]


def retelling(made: Distillate, of: str, text: str) -> Distillate | None:
    return retold(made, of, Article(text, numbered_lines(text, characters=10_000), language="en"))


def test_passages_move_with_the_words_they_are() -> None:
    assert retelling(made_of(ENGLISH), ENGLISH, FRAMED) == made_of(FRAMED)


def test_a_text_that_says_it_in_other_words_is_searched() -> None:
    other = FRAMED.replace("that will supply", "which is going to supply")

    found = retelling(made_of(ENGLISH), ENGLISH, other)

    assert found is not None
    [point] = found.key_points
    assert other[point.start : point.end].startswith("The harbour of Norwick opened")
    assert not point.recited


def test_a_text_that_does_not_say_it_gets_a_distillate_of_its_own() -> None:
    assert retelling(made_of(ENGLISH), ENGLISH, OTHER) is None
