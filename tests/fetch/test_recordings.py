"""Videos and episodes: what is written about them is what there is to read, and their transcript."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import update
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.entries import (
    ContentFetched,
    ContentKind,
    ContentUnavailable,
    EntryDeferred,
    EntryToFetch,
    Stage,
)
from feedmill.models.feeds import Enclosure, SnapshotEntry, Transcript
from feedmill.models.outcomes import Reason
from feedmill.models.reextraction import ReextractPages
from feedmill.store import Store
from feedmill.store.tables import contents
from feedmill.web.client import WebClient
from feedmill.web.manners import host_of
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.recordings import has_page, recording_kind
from feedmill_fetch.reextracting import Reextractor
from feedmill_fetch.transcribing import MAX_TRANSCRIPT_BYTES
from feedmill_fetch.videos import video_id
from support.entries import add_entries, content_row, fetch, stored
from support.fetching import build_fetcher
from support.origin import Origin

ID = "a1B2c3D4e5_"
WATCH = f"https://www.youtube.com/watch?v={ID}"
AUDIO = Enclosure(url="https://cdn.example/1.mp3", media_type="audio/mpeg", duration_seconds=754)
FILM = Enclosure(url="https://cdn.example/1.mp4", media_type="video/mp4")
NOTES = "Ann visits the mill on the river and asks Bob about the wheel."
SAID = ["Ann: Welcome to the mill.", "Bob: Mind the <wheel>."]
VTT = """WEBVTT

00:00.000 --> 00:02.000
<v Ann>Welcome to the mill.

00:02.000 --> 00:04.000
<v Bob>Mind the &lt;wheel&gt;.
"""
WITH_TRANSCRIPT = "\n".join([NOTES, "Transcript", *SAID])
PAGE = "<article>" + "<p>The page tells of the mill at length, in sentences, and so on.</p>" * 9


async def add(store: Store, **shown: Any) -> int:
    (entry_id,) = await add_entries(store, SnapshotEntry(guid="1", **shown))
    return entry_id


async def add_episode(store: Store, origin: Origin, *, url: str | None = None, **shown: Any) -> int:
    """Add an episode of which only its feed speaks, unless it has a page of its own."""
    transcript = Transcript(url=origin.url("/1.vtt"), media_type="text/vtt", language="en-GB")
    said = {"title": "The wheel", "teaser": NOTES, "transcripts": [transcript], **shown}
    return await add(store, url=url, enclosures=[AUDIO], **said)


@pytest.mark.parametrize(
    ("url", "video"),
    [
        (WATCH, ID),
        (f"https://m.youtube.com/watch?t=9&v={ID}&list=x", ID),
        (f"https://youtu.be/{ID}?si=x", ID),
        (f"http://youtube.com/shorts/{ID}", ID),
        (f"https://www.youtube.com/live/{ID}/", ID),
        (f"https://www.youtube-nocookie.com/embed/{ID}", ID),
        ("https://www.youtube.com/watch?v=short", None),
        ("https://www.youtube.com/@miller", None),
        (f"https://www.youtube.com/playlist?v={ID}", None),
        (f"https://youtube.com.evil.example/watch?v={ID}", None),
        (f"https://mills.example/watch?v={ID}", None),
        (f"https://youtu.be/{ID}/more", None),
        ("https://[/", None),
        (None, None),
    ],
)
def test_a_video_is_known_by_its_address(url: str | None, video: str | None) -> None:
    assert video_id(url) == video


@pytest.mark.parametrize(
    ("entry", "kind", "asks"),
    [
        pytest.param({"url": WATCH, "video_id": ID}, ContentKind.VIDEO, False, id="of a channel"),
        pytest.param({"url": WATCH}, ContentKind.VIDEO, True, id="named by somebody else"),
        pytest.param(
            {"url": WATCH, "teaser": "word " * 50}, ContentKind.VIDEO, False, id="and described"
        ),
        pytest.param(
            {"url": "https://a.example/", "enclosures": [AUDIO]}, ContentKind.PODCAST, True, id="episode"
        ),
        pytest.param(
            {"url": AUDIO.url, "enclosures": [AUDIO]}, ContentKind.PODCAST, False, id="no page but the file"
        ),
        pytest.param({"enclosures": [AUDIO]}, ContentKind.PODCAST, False, id="no page at all"),
        pytest.param(
            {"url": "https://a.example/", "enclosures": [FILM]}, ContentKind.VIDEO, True, id="film"
        ),
        pytest.param(
            {"url": "https://a.example/", "enclosures": [Enclosure(url="https://a.example/1.jpg", media_type="image/jpeg")]},
            None, True, id="picture",
        ),
        pytest.param({"url": "https://a.example/"}, None, True, id="article"),
    ],
)  # fmt: skip
def test_what_an_entry_is_and_whether_its_page_may_say_more(
    entry: dict[str, Any], kind: ContentKind | None, *, asks: bool
) -> None:
    read = EntryToFetch(id=1, feed_id=1, **entry)

    assert (recording_kind(read), has_page(read)) == (kind, asks)


async def test_a_video_is_what_its_feed_says_of_it(fetcher: Fetcher, store: Store) -> None:
    async with store.transaction() as tx:
        await tx.robots.save("https://www.youtube.com", "")
    teaser = "We walk through the mill.\n0:00 The river & <b>\nPlans: https://mills.example/p?utm_source=x."
    entry_id = await add(store, url=WATCH, title="How a mill works", teaser=teaser, video_id=ID)

    # Nothing there could have answered: whoever asked would have failed.
    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]

    content = await content_row(store, entry_id)
    assert (content.kind, content.text, content.url) == ("video", teaser, WATCH)
    assert content.image_url == f"https://i.ytimg.com/vi/{ID}/hqdefault.jpg"
    rel = 'rel="noopener noreferrer nofollow ugc"'
    assert content.html.startswith(
        f'<p><a href="{WATCH}" class="embed" {rel}>\u25b6 How a mill works</a></p>'
        "<p>We walk through the mill.</p><p>0:00 The river &amp; &lt;b&gt;</p>"
    )
    assert f'<a href="https://mills.example/p" {rel}>' in content.html


async def test_the_picture_of_a_video_is_the_one_its_feed_shows(
    fetcher: Fetcher, store: Store
) -> None:
    async with store.transaction() as tx:
        await tx.robots.save(
            "https://www.youtube.com", "User-agent: *\nContent-Signal: ai-input=no\n"
        )
    entry_id = await add(
        store,
        url=WATCH,
        teaser=NOTES,
        video_id=ID,
        image_url="https://i.example/1.jpg",
        enclosures=[FILM.model_copy(update={"duration_seconds": 754})],
    )

    await fetch(fetcher, entry_id)

    content = await content_row(store, entry_id)
    assert content.image_url == "https://i.example/1.jpg"
    assert "\u25b6 YouTube \u00b7 13 min</a>" in content.html
    assert "ai-input=no" in content.withheld


async def test_a_video_of_which_nothing_is_written_is_a_recording(
    fetcher: Fetcher, store: Store
) -> None:
    entry_id = await add(store, url=WATCH, title="Untold", video_id=ID)

    assert await fetch(fetcher, entry_id) == [
        ContentUnavailable(entry_id=entry_id, reason=Reason.RECORDING)
    ]
    assert (await stored(store, entry_id))[0] == Stage.UNAVAILABLE


async def test_an_episode_is_its_notes_and_its_transcript(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/1.vtt", VTT, content_type="text/vtt")
    entry_id = await add_episode(store, origin)

    assert await fetch(fetcher, entry_id) == [ContentFetched(entry_id=entry_id)]

    content = await content_row(store, entry_id)
    assert (content.kind, content.language, content.text) == ("podcast", "en-GB", WITH_TRANSCRIPT)
    assert content.text[content.transcript_start :] == "\n".join(SAID)
    assert content.html == (
        f"<p>{NOTES}</p><h2>Transcript</h2><p><strong>Ann:</strong> Welcome to the mill.</p>"
        "<p><strong>Bob:</strong> Mind the &lt;wheel&gt;.</p>"
    )
    assert content.word_count == len(NOTES.split()) + 1 + 6 + 3
    assert origin.paths == ["/1.vtt"]


async def test_the_distiller_reads_the_transcript_too_and_knows_what_it_reads(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/1.vtt", VTT, content_type="text/vtt")
    entry_id = await add_episode(store, origin)

    await fetch(fetcher, entry_id)

    async with store.transaction() as tx:
        (content,) = await tx.contents.to_distill([entry_id])
    assert (content.kind, content.text) == (ContentKind.PODCAST, WITH_TRANSCRIPT)


async def test_an_episode_with_a_page_is_what_the_page_says_and_its_transcript(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/1", PAGE)
    origin.serve("/1.vtt", VTT, content_type="text/vtt")
    entry_id = await add_episode(store, origin, url=origin.url("/1"))

    await fetch(fetcher, entry_id)

    content = await content_row(store, entry_id)
    assert content.kind == "podcast"
    assert content.extractor.startswith("arbiter")
    assert content.text.startswith("The page tells of the mill")
    assert content.text.endswith("\nTranscript\n" + "\n".join(SAID))
    assert origin.paths == ["/1", "/1.vtt"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (lambda o: o.fail("/1.vtt", 404), Reason.PAGE_MISSING),
        (lambda o: o.fail("/1.vtt", 500), Reason.SITE_BROKEN),
        (lambda o: o.fail("/1.vtt", 429, retry_after="600"), Reason.RATE_LIMITED),
        (lambda o: o.redirect("/1.vtt", "/1.vtt"), Reason.TOO_MANY_REDIRECTS),
        (lambda o: o.redirect("/1.vtt", "http://169.254.169.254/1"), Reason.ADDRESS_FORBIDDEN),
        (lambda o: o.serve("/1.vtt", "WEBVTT\n\n"), Reason.NO_TEXT),
        (lambda o: o.serve("/1.vtt", "a " * MAX_TRANSCRIPT_BYTES), Reason.TOO_LARGE),
    ],
)
async def test_an_episode_without_its_transcript_is_an_episode_and_says_why(
    fetcher: Fetcher,
    store: Store,
    origin: Origin,
    script: Callable[[Origin], None],
    reason: Reason,
) -> None:
    script(origin)
    entry_id = await add_episode(store, origin)

    assert await fetch(fetcher, entry_id) == [
        ContentFetched(entry_id=entry_id, transcript_reason=reason)
    ]
    content = await content_row(store, entry_id)
    assert (content.text, content.transcript_start) == (NOTES, None)
    assert content.transcript_reason == reason


async def test_a_host_that_asks_for_time_when_asked_for_a_transcript_has_it(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/1.vtt", 429, retry_after="600")

    await fetch(fetcher, await add_episode(store, origin))

    async with store.transaction() as tx:
        free_at = await tx.hosts.next_free_at(host_of(origin.base))
        assert free_at - await tx.now() > timedelta(minutes=9)


async def test_a_transcript_is_a_page_to_robots_txt(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    async with store.transaction() as tx:
        await tx.robots.save(origin.base, "User-agent: *\nDisallow: /1.vtt\n")
    entry_id = await add_episode(store, origin)

    assert await fetch(fetcher, entry_id) == [
        ContentFetched(entry_id=entry_id, transcript_reason=Reason.ROBOTS_DISALLOWED)
    ]
    assert origin.paths == []


async def test_a_transcript_that_is_withheld_withholds_the_whole(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/1.vtt", VTT, headers={"X-Robots-Tag": "noai"})
    entry_id = await add_episode(store, origin)

    await fetch(fetcher, entry_id)

    assert (await content_row(store, entry_id)).withheld == "X-Robots-Tag: noai"


async def test_an_episode_whose_page_is_withheld_is_withheld_with_its_transcript(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/1", PAGE, headers={"X-Robots-Tag": "noai"})
    origin.serve("/1.vtt", VTT)
    entry_id = await add_episode(store, origin, url=origin.url("/1"))

    await fetch(fetcher, entry_id)

    assert (await content_row(store, entry_id)).withheld == "X-Robots-Tag: noai"


async def test_a_transcript_whose_host_has_no_time_is_waited_for_and_no_page_asked_for_twice(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin
) -> None:
    origin.serve("/1", PAGE)
    origin.serve("/1.vtt", VTT)
    fetcher = build_fetcher(store, web_client, extractors, spacing=timedelta(seconds=6))
    with_page = await add_episode(store, origin, url=origin.url("/1"))

    assert await fetch(fetcher, with_page) == [ContentFetched(entry_id=with_page)]
    assert origin.paths == ["/1", "/1.vtt"]
    assert (await content_row(store, with_page)).transcript_start is not None

    (notes_only,) = await add_entries(
        store,
        SnapshotEntry(
            guid="2",
            teaser=NOTES,
            enclosures=(AUDIO,),
            transcripts=(Transcript(url=origin.url("/1.vtt")),),
        ),
    )
    (outcome,) = await fetch(fetcher, notes_only)
    # Nothing was spent on it yet: it comes back when the host has time.
    assert isinstance(outcome, EntryDeferred)
    assert (await stored(store, notes_only))[0] == Stage.NEW


async def test_a_transcript_whose_host_has_no_time_for_long_costs_no_second_request_for_the_page(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/1", PAGE)
    async with store.transaction() as tx:
        await tx.robots.save("https://held.example", "")
        state = await tx.hosts.lock("held.example")
        free_at = await tx.now() + timedelta(minutes=10)
        await tx.hosts.keep(state.model_copy(update={"next_free_at": free_at}))
    transcript = Transcript(url="https://held.example/1.vtt")
    entry_id = await add_episode(store, origin, url=origin.url("/1"), transcripts=[transcript])

    assert await fetch(fetcher, entry_id) == [
        ContentFetched(entry_id=entry_id, transcript_reason=Reason.RATE_LIMITED)
    ]


async def test_an_episode_whose_page_is_gone_has_its_notes_and_its_transcript(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.fail("/1", 404)
    origin.serve("/1.vtt", VTT)
    entry_id = await add_episode(store, origin, url=origin.url("/1"))

    await fetch(fetcher, entry_id)

    assert (await content_row(store, entry_id)).text == WITH_TRANSCRIPT


async def test_the_file_itself_is_never_asked_for(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    recording = AUDIO.model_copy(update={"url": origin.url("/1.mp3")})
    entry_id = await add(store, url=recording.url, teaser=NOTES, enclosures=[recording])

    await fetch(fetcher, entry_id)

    assert origin.paths == []
    assert (await content_row(store, entry_id)).text == NOTES


async def test_a_transcript_that_came_late_is_there_after_a_refetch(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    origin.serve("/1", PAGE, etag='"1"')
    entry_id = await add_episode(store, origin, url=origin.url("/1"))
    await fetch(fetcher, entry_id)
    before = await content_row(store, entry_id)
    origin.serve("/1.vtt", VTT)

    async with store.transaction() as tx:
        now = await tx.now()
    again = await fetch(fetcher, entry_id, again_since=now)

    after = await content_row(store, entry_id)
    assert before.transcript_reason == Reason.PAGE_MISSING
    assert again == [ContentFetched(entry_id=entry_id)]
    assert after.text == f"{before.text}\nTranscript\n" + "\n".join(SAID)
    assert after.transcript_reason is None


@pytest.mark.parametrize("url", [AUDIO.url, None])
async def test_a_transcript_that_went_is_kept(
    fetcher: Fetcher, store: Store, origin: Origin, url: str | None
) -> None:
    origin.serve("/1.vtt", VTT)
    entry_id = await add_episode(store, origin, url=url)
    await fetch(fetcher, entry_id)
    origin.fail("/1.vtt", 410)

    async with store.transaction() as tx:
        now = await tx.now()
    await fetch(fetcher, entry_id, again_since=now)

    assert origin.paths == ["/1.vtt", "/1.vtt"]
    assert (await content_row(store, entry_id)).text == WITH_TRANSCRIPT


async def test_a_transcript_that_never_ends_costs_its_entry_nothing(
    store: Store, web_client: WebClient, extractors: IsolatedPool, origin: Origin
) -> None:
    origin.flood("/1.vtt")
    entry_id = await add_episode(store, origin)

    outcomes = await asyncio.wait_for(
        fetch(build_fetcher(store, web_client, extractors), entry_id), 60
    )

    assert outcomes == [ContentFetched(entry_id=entry_id, transcript_reason=Reason.TOO_LARGE)]


async def test_of_several_transcripts_one_is_asked_for(
    fetcher: Fetcher, store: Store, origin: Origin
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=VTT, headers={"X-Accept": request.headers["Accept"]})

    origin.script("/1.vtt", answer)
    offered = [
        Transcript(url=origin.url("/1.html"), media_type="text/html"),
        Transcript(url=origin.url("/1.vtt"), media_type="text/vtt"),
        Transcript(url=origin.url("/1.pdf"), media_type="application/pdf"),
    ]
    entry_id = await add_episode(store, origin, transcripts=offered)

    await fetch(fetcher, entry_id)

    assert origin.paths == ["/1.vtt"]
    assert origin.requests[0].headers["Accept"].startswith("text/vtt, ")


async def test_what_is_found_anew_in_a_kept_page_keeps_the_transcript_beside_it(
    fetcher: Fetcher, store: Store, extractors: IsolatedPool, origin: Origin
) -> None:
    origin.serve("/1", PAGE)
    origin.serve("/1.vtt", VTT, headers={"X-Robots-Tag": "noai"})
    entry_id = await add_episode(store, origin, url=origin.url("/1"))
    await fetch(fetcher, entry_id)
    before = await content_row(store, entry_id)
    async with store.transaction() as tx:
        await tx.connection.execute(update(contents).values(html="", title="worse"))

    await ActivityEnvironment().run(
        Reextractor(store, Examiner(extractors)).reextract_pages, ReextractPages()
    )

    after = await content_row(store, entry_id)
    assert after._mapping == before._mapping
    assert origin.paths == ["/1", "/1.vtt"]


async def test_what_is_found_anew_still_says_why_there_is_no_transcript(
    fetcher: Fetcher, store: Store, extractors: IsolatedPool, origin: Origin
) -> None:
    origin.serve("/1", PAGE)
    entry_id = await add_episode(store, origin, url=origin.url("/1"))
    await fetch(fetcher, entry_id)

    await ActivityEnvironment().run(
        Reextractor(store, Examiner(extractors)).reextract_pages, ReextractPages()
    )

    content = await content_row(store, entry_id)
    assert (content.kind, content.transcript_reason) == ("podcast", Reason.PAGE_MISSING)
