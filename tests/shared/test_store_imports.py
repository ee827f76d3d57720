from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import text

from feedmill.errors import StoreUnavailableError
from feedmill.models.lists import (
    ImportProgress,
    Listed,
    ListedFeed,
    ListRead,
    OutlineOutcome,
)
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.store import Store
from support.library import Library, open_library

LIST = ListRead(
    feeds=tuple(
        ListedFeed(url=f"https://{name}.example/", title=name, category=("Tech",), line=line)
        for line, name in enumerate("abcde", start=2)
    ),
    categories=(("Tech",), ("Empty", "Within")),
    rejected=(
        OutlineOutcome(
            line=4, outcome=Listed.DUPLICATE, title="a", url="https://a.example/", first_line=2
        ),
        OutlineOutcome(
            line=9,
            outcome=Listed.BROKEN,
            reason=Reason.NO_FEED_URL,
            advice=ADVICE[Reason.NO_FEED_URL],
        ),
    ),
)
ALL = 100


@pytest_asyncio.fixture
async def library(store: Store) -> Library:
    return await open_library(store)


async def keep(store: Store, user_id: int, file_hash: str = "h1") -> tuple[int, datetime | None]:
    async with store.transaction() as tx:
        return await tx.imports.keep(user_id, file_hash, LIST)


async def follow(store: Store, import_id: int, limit: int = ALL) -> tuple[int, ...]:
    async with store.transaction() as tx:
        return await tx.imports.follow_next(import_id, limit)


async def progress(store: Store, import_id: int) -> ImportProgress:
    async with store.transaction() as tx:
        return await tx.imports.progress(import_id)


async def test_a_list_is_followed_slice_by_slice_in_its_order(
    store: Store, library: Library
) -> None:
    known = await library.feed("https://d.example/")
    import_id, kept_at = await keep(store, library.user_id)
    before = await progress(store, import_id)

    first = await follow(store, import_id, 2)
    between = await progress(store, import_id)
    second = await follow(store, import_id, 2)
    third = await follow(store, import_id, 2)
    nothing = await follow(store, import_id, 2)

    assert kept_at is not None
    assert before == ImportProgress(outlines=7, duplicates=1, broken=1, waiting=5)
    assert between == before.model_copy(update={"added": 2, "waiting": 3, "categories": 3})
    assert (len(first), len(second), len(third), nothing) == (2, 1, 1, ())
    assert known not in {*first, *second, *third}
    async with store.transaction() as tx:
        report = await tx.imports.report(import_id)
        listed = await tx.lists.listed(library.user_id)
    assert (report.added, report.followed, report.waiting) == (4, 1, 0)
    assert [(line.line, line.outcome) for line in report.lines] == [
        (4, Listed.DUPLICATE),
        (5, Listed.FOLLOWED),
        (9, Listed.BROKEN),
    ]
    assert (report.lines[0].first_line, report.lines[2].advice) == (2, LIST.rejected[1].advice)
    assert {feed.url for feed in listed} == {feed.url for feed in LIST.feeds}


async def test_the_same_file_goes_on_where_it_stands_and_begins_anew_once_done(
    store: Store, library: Library
) -> None:
    import_id, _ = await keep(store, library.user_id)
    await follow(store, import_id, 2)

    again = await keep(store, library.user_id)
    went_on = await progress(store, import_id)
    await follow(store, import_id)
    anew = await keep(store, library.user_id)
    await follow(store, import_id)

    assert again == (import_id, None)
    assert (went_on.added, went_on.waiting) == (2, 3)
    assert anew[0] == import_id
    assert anew[1] is not None
    assert await progress(store, import_id) == ImportProgress(
        outlines=7, followed=5, duplicates=1, broken=1
    )


async def test_a_line_that_the_database_refuses_fails_alone(store: Store, library: Library) -> None:
    async with store.transaction() as tx:
        refusal = "alter table feeds add constraint nobody check (url !~ '^https://[bd]')"
        await tx.connection.execute(text(refusal))
    import_id, _ = await keep(store, library.user_id)

    new = await follow(store, import_id)

    async with store.transaction() as tx:
        report = await tx.imports.report(import_id)
    refused = [line for line in report.lines if line.reason is Reason.OUTLINE_REFUSED]
    assert (len(new), report.added, report.broken, report.waiting) == (3, 3, 3, 0)
    assert [line.url for line in refused] == ["https://b.example/", "https://d.example/"]
    assert all("nobody" in line.detail and line.advice for line in refused)


async def test_what_fails_for_all_lines_settles_none(store: Store, library: Library) -> None:
    import_id, _ = await keep(store, library.user_id)

    with pytest.raises(StoreUnavailableError):
        async with store.transaction() as tx:
            await tx.connection.execute(text("set local lock_timeout = '50ms'"))
            async with store.transaction() as other:
                await other.connection.execute(text("lock table subscriptions in exclusive mode"))
                await tx.imports.follow_next(import_id, ALL)

    assert (await progress(store, import_id)).waiting == 5


async def test_an_import_is_its_users_alone_and_the_oldest_are_forgotten(
    store: Store, library: Library
) -> None:
    waiting, _ = await keep(store, library.user_id, "waiting")
    ids = []
    for number in range(25):
        import_id, kept_at = await keep(store, library.user_id, f"h{number}")
        await follow(store, import_id)
        ids.append(import_id)

    async with store.transaction() as tx:
        kept = [each.id for each in await tx.imports.recent(library.user_id)]
        others = await tx.imports.hash_of(library.user_id + 1, ids[-1])
        own = await tx.imports.hash_of(library.user_id, ids[-1])
        assert kept_at is not None
        await tx.imports.forget(ids[-1], kept_at - timedelta(seconds=1))
        still = await tx.imports.hash_of(library.user_id, ids[-1])
        await tx.imports.forget(ids[-1], kept_at)
        gone = await tx.imports.hash_of(library.user_id, ids[-1])

    assert kept == [*ids[:4:-1], waiting]
    assert (others, own, still, gone) == (None, "h24", "h24", None)
    assert await follow(store, ids[-1]) == ()
