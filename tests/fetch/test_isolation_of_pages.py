"""Pages that hang, overflow or starve their reader cost their own process, and nobody else anything."""

import pytest
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import ContentFetched, ContentUnavailable, EntryToFetch, Stage
from feedmill.models.outcomes import Reason
from feedmill.models.reextraction import ReextractPages
from feedmill.store import Store
from feedmill.web.client import WebClient
from feedmill_fetch import examining
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.reextracting import Reextractor
from support import misbehaviour
from support.entries import add_pages, content_row, fetch, stored
from support.fetching import build_fetcher
from support.hostile_pages import HOSTILE_PAGES
from support.origin import Origin
from support.sabotage import SabotagedPool

SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again. "
PAGE = f"<html><body><article>{f'<p>{SENTENCE}</p>' * 9}</article></body></html>"

MISBEHAVIOUR = {
    b"hang": (misbehaviour.hang, "took longer than 0.3 s"),
    b"die": (misbehaviour.die, "ended its process with code 139"),
    b"eat": (misbehaviour.eat_memory, "MemoryError: "),
    b"overflow": (misbehaviour.overflow, "RecursionError: maximum recursion depth exceeded"),
    b"odd": (misbehaviour.raise_unpicklable, "OddError: odd"),
}


async def test_a_reader_that_misbehaves_costs_one_outcome_and_the_slice_goes_on(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin
) -> None:
    bodies = {body: function for body, (function, _) in MISBEHAVIOUR.items()}
    fetcher = build_fetcher(store, web_client, SabotagedPool(extractors, bodies))
    for body in MISBEHAVIOUR:
        origin.serve(f"/{body.decode()}", body)
    for number in range(5):
        origin.serve(f"/{number}", PAGE)
    bad = await add_pages(store, *(origin.url(f"/{body.decode()}") for body in MISBEHAVIOUR))
    good = await add_pages(store, *(origin.url(f"/{number}") for number in range(5)))
    mixed = [entry_id for pair in zip(bad, good, strict=True) for entry_id in pair]

    outcomes = await fetch(fetcher, *mixed)

    assert outcomes[::2] == [
        ContentUnavailable(entry_id=entry_id, reason=Reason.EXTRACTOR_FAILED, detail=detail)
        for entry_id, (_, detail) in zip(bad, MISBEHAVIOUR.values(), strict=True)
    ]
    assert outcomes[1::2] == [ContentFetched(entry_id=entry_id) for entry_id in good]


@pytest.mark.parametrize(
    "name",
    [
        "nested boxes",
        "entities",
        "a word without end",
        "nested data",
        "zeros",
        "half of a character",
    ],
)
async def test_a_hostile_page_has_an_outcome_and_its_neighbour_an_article(
    fetcher: Fetcher, store: Store, origin: Origin, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(examining, "EXTRACTOR_SECONDS", 1)
    origin.serve("/hostile", HOSTILE_PAGES[name])
    origin.serve("/good", PAGE)
    hostile, good = await add_pages(store, origin.url("/hostile"), origin.url("/good"))

    outcomes = await fetch(fetcher, hostile, good)

    assert outcomes[0].outcome in {"fetched", "unavailable"}
    assert outcomes[1] == ContentFetched(entry_id=good)
    stage, reason, _ = await stored(store, hostile)
    assert (stage, reason) in {
        (Stage.FETCHED, None),
        (Stage.UNAVAILABLE, Reason.NO_ARTICLE),
        (Stage.UNAVAILABLE, Reason.EXTRACTOR_FAILED),
    }


async def test_hostile_markup_of_a_feed_costs_no_more_than_its_own_entry(
    fetcher: Fetcher, store: Store, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "EXTRACTOR_SECONDS", 1)
    origin.fail("/a", 404)
    origin.serve("/good", PAGE)
    markup = HOSTILE_PAGES["nested boxes"].decode()
    (hostile,) = await add_pages(store, origin.url("/a"), markup=markup)
    (good,) = await add_pages(store, origin.url("/good"))

    outcomes = await fetch(fetcher, hostile, good)

    assert outcomes[1] == ContentFetched(entry_id=good)
    assert outcomes[0].outcome in {"fetched", "unavailable"}


async def test_a_kept_page_that_hangs_its_reader_ends_no_reextraction(
    fetcher: Fetcher,
    store: Store,
    extractors: IsolatedPool,
    origin: Origin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Calls that are sent together share the longest of their limits.
    monkeypatch.setattr(examining, "EXTRACTOR_SECONDS", 3)
    for path in ("/a", "/b"):
        origin.serve(path, PAGE + path)
    ids = await add_pages(store, origin.url("/a"), origin.url("/b"))
    await fetch(fetcher, *ids)
    sabotaged = SabotagedPool(extractors, {f"{PAGE}/a".encode(): misbehaviour.hang})

    reextracted = await ActivityEnvironment().run(
        Reextractor(store, Examiner(sabotaged)).reextract_pages, ReextractPages()
    )

    assert (reextracted.examined, reextracted.failed) == (2, 1)
    assert await content_row(store, ids[0]) is not None
    async with store.transaction() as tx:
        entries: list[EntryToFetch] = await tx.entries.to_fetch(ids)
    assert {entry.stage for entry in entries} == {Stage.FETCHED}
