import itertools
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from feedmill.models.distillates import Distiller, KeyPoint, Recipe
from feedmill.models.entries import ContentKind, Stage
from feedmill.models.feeds import Enclosure
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import EntryDetail, EntryPage, EntryView
from support.library import HTML, NOON, TEXT, Library


async def page(api: ClientSession, **query: str | int) -> EntryPage:
    answer = await api.get("/api/v1/entries", params=query)
    assert answer.status == 200
    return EntryPage.model_validate(await answer.json())


async def test_a_distilled_entry_is_shown_whole(api: ClientSession, library: Library) -> None:
    feed_id = await library.feed()
    entry_id = await library.entry(feed_id, author="Ada", teaser="At night.")
    await library.article(entry_id)
    await library.distillate(entry_id)

    listed = (await page(api)).items
    detail = EntryDetail.model_validate(await (await api.get(f"/api/v1/entries/{entry_id}")).json())

    expected = EntryView(
        id=entry_id,
        feed_id=feed_id,
        feed_title="News",
        url="https://news.example/night",
        title="Night shift",
        author="Ada",
        published_at=NOON,
        added_at=detail.added_at,
        teaser="At night.",
        stage=Stage.DISTILLED,
        summary="A mill that never sleeps.",
        key_points=(KeyPoint(text="Nothing is wasted.", start=26, end=44),),
        topics=("mills",),
        relevance=0.75,
        distiller=Distiller.MODEL,
        model="small-1",
        kind=ContentKind.ARTICLE,
        word_count=11,
    )
    assert listed == (expected,)
    assert detail == EntryDetail(**expected.model_dump(by_alias=False), html=HTML, text=TEXT)
    assert TEXT[26:43] == "It wastes nothing"


async def test_an_episode_is_shown_with_its_files_and_where_its_transcript_begins(
    api: ClientSession, library: Library
) -> None:
    audio = Enclosure(url="https://cdn.example/1.mp3", media_type="audio/mpeg", duration_seconds=60)
    entry_id = await library.entry(await library.feed(), enclosures=[audio])
    await library.article(entry_id, kind=ContentKind.PODCAST, transcript_start=26)

    shown = await (await api.get(f"/api/v1/entries/{entry_id}")).json()

    assert (shown["kind"], shown["transcriptStart"], shown["transcriptReason"]) == (
        "podcast",
        26,
        None,
    )
    assert shown["enclosures"] == [
        {
            "url": "https://cdn.example/1.mp3",
            "mediaType": "audio/mpeg",
            "sizeBytes": None,
            "durationSeconds": 60,
        }
    ]


async def test_the_json_is_in_camel_case(api: ClientSession, library: Library) -> None:
    await library.entry(await library.feed())

    [item] = (await (await api.get("/api/v1/entries")).json())["items"]

    assert {"feedId", "feedTitle", "publishedAt", "keyPoints", "wordCount", "imageUrl"} <= set(item)
    assert not any("_" in name for name in item)


async def test_a_dead_end_comes_with_reason_and_advice(
    api: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed())
    await library.dead_end(entry_id, Reason.HTTP_STATUS, "403 Forbidden")

    [item] = (await page(api)).items

    assert (item.stage, item.reason, item.advice, item.detail) == (
        Stage.UNAVAILABLE,
        Reason.HTTP_STATUS,
        ADVICE[Reason.HTTP_STATUS],
        "403 Forbidden",
    )


async def test_the_latest_distillate_counts(api: ClientSession, library: Library) -> None:
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id)
    await library.distillate(entry_id, "first")
    later = Recipe(id="r2", distiller=Distiller.EXTRACTIVE, model="textrank", prompt_version="2")
    await library.distillate(entry_id, "second", later)

    [item] = (await page(api)).items

    assert (item.summary, item.distiller, item.model) == ("second", "extractive", "textrank")


async def test_an_article_names_an_entry_that_its_feed_did_not(
    api: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed(), title="", guid="g")

    [item] = (await page(api)).items

    assert (item.id, item.title) == (entry_id, "")


async def test_an_address_that_is_no_web_page_is_not_passed_on(
    api: ClientSession, library: Library
) -> None:
    await library.entry(await library.feed(), url="javascript:alert(1)")

    [item] = (await page(api)).items

    assert item.url is None


async def test_the_newest_come_first_whenever_they_were_added(
    api: ClientSession, library: Library
) -> None:
    feed_id = await library.feed()
    old = await library.entry(feed_id, "old", published_at=NOON - timedelta(days=1))
    new = await library.entry(feed_id, "new", published_at=NOON)
    twin = await library.entry(feed_id, "twin", published_at=NOON)
    # Shown for the first time now, which is later than all of these.
    undated = await library.entry(feed_id, "undated", published_at=None)

    listed = (await page(api)).items

    assert [entry.id for entry in listed] == [undated, twin, new, old]


async def test_pages_show_everything_once_while_entries_are_added(
    api: ClientSession, library: Library
) -> None:
    feed_id = await library.feed()
    # Three share each moment, so that a page ends in the middle of one.
    before = [
        await library.entry(feed_id, f"entry {n}", published_at=NOON - timedelta(hours=n // 3))
        for n in range(11)
    ]

    shown: list[int] = []
    query: dict[str, str | int] = {"limit": 2}
    for turn in itertools.count():
        got = await page(api, **query)
        shown += [entry.id for entry in got.items]
        if got.next is None:
            break
        await library.entry(feed_id, f"late {turn}", published_at=NOON + timedelta(hours=turn))
        query["before"] = got.next

    assert sorted(shown) == before
    assert len(shown) == len(set(shown))


async def test_a_full_last_page_has_no_next(api: ClientSession, library: Library) -> None:
    feed_id = await library.feed()
    for n in range(2):
        await library.entry(feed_id, f"entry {n}")

    got = await page(api, limit=2)

    assert (len(got.items), got.next) == (2, None)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, {"a new", "a gone", "b new"}),
        ({"stage": "new"}, {"a new", "b new"}),
        ({"stage": "distilled"}, set()),
        ({"feedId": "a"}, {"a new", "a gone"}),
        ({"feedId": "a", "stage": "unavailable"}, {"a gone"}),
    ],
)
async def test_entries_can_be_narrowed(
    api: ClientSession, library: Library, query: dict[str, str], titles: set[str]
) -> None:
    feeds = {name: await library.feed(f"https://{name}.example/", name) for name in "ab"}
    await library.entry(feeds["a"], "a new")
    await library.dead_end(await library.entry(feeds["a"], "a gone"), Reason.NO_URL)
    await library.entry(feeds["b"], "b new")
    named = {name: feeds.get(value, value) for name, value in query.items()}

    got = await page(api, **named)

    assert {entry.title for entry in got.items} == titles


async def test_what_nobody_here_follows_is_invisible(api: ClientSession, library: Library) -> None:
    feed_id = await library.feed("https://other.example/", followed=False)
    entry_id = await library.entry(feed_id)
    await library.article(entry_id)

    assert (await page(api)).items == ()
    assert (await page(api, feedId=feed_id)).items == ()
    for path in (
        f"/api/v1/entries/{entry_id}",
        f"/entries/{entry_id}",
        f"/fragments/entries/{entry_id}",
    ):
        assert (await api.get(path)).status == 404
