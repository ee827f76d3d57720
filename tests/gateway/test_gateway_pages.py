import asyncio
from datetime import timedelta

from aiohttp import ClientSession
from temporalio.client import Client

from feedmill.models.distillates import Distiller, Recipe
from feedmill.models.feeds import Enclosure
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.runs import IngestionProgress, RunStep
from support.library import NOON, Library

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
ESCAPED = (
    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&gt;&lt;img src=x onerror=alert(1)&gt;"
)


async def page(reader: ClientSession, path: str = "/", status: int = 200) -> str:
    answer = await reader.get(path)
    assert answer.status == status
    return await answer.text()


async def test_a_new_reader_is_told_how_to_begin(reader: ClientSession) -> None:
    shown = await page(reader)

    assert "Follow your first feed" in shown
    assert "You follow no feeds yet." in shown


async def test_a_card_says_everything_about_a_distilled_entry(
    reader: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed(), author="Ada")
    await library.article(entry_id)
    await library.distillate(entry_id)

    shown = await page(reader)

    for part in (
        '<a href="https://news.example/night" rel="noopener noreferrer">Night shift</a>',
        "<span>News</span>",
        'datetime="2026-01-31T12:00:00+00:00"',
        "<span>Ada</span>",
        "A mill that never sleeps.",
        "<li>Nothing is wasted.</li>",
        "<li>mills</li>",
        "75\N{NO-BREAK SPACE}%",
        "Distilled by small-1",
    ):
        assert part in shown


async def test_a_card_admits_that_no_model_was_asked(
    reader: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id)
    recipe = Recipe(id="r2", distiller=Distiller.EXTRACTIVE, model="textrank", prompt_version="1")
    await library.distillate(entry_id, recipe=recipe)

    assert "Sentences picked from the article, no model" in await page(reader)


async def test_an_article_that_is_kept_from_models_says_by_whose_wish(
    reader: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id, withheld="X-Robots-Tag: noai")
    await library.distillate(entry_id)

    shown = await page(reader, f"/entries/{entry_id}")

    assert "Its publisher keeps it from language models: X-Robots-Tag: noai" in shown


async def test_a_card_says_in_words_what_went_wrong(
    reader: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed())
    await library.dead_end(entry_id, Reason.NO_ARTICLE, "only a login form")

    shown = await page(reader)

    assert "No article." in shown
    assert ADVICE[Reason.NO_ARTICLE] in shown
    assert "only a login form" in shown


async def test_a_feed_says_in_words_what_went_wrong(
    reader: ClientSession, library: Library
) -> None:
    await library.failed_poll(await library.feed(), Reason.NOT_A_FEED, "text/html")

    shown = await page(reader)

    assert "The last poll failed. Next try in 29 minutes at the earliest." in shown
    assert ADVICE[Reason.NOT_A_FEED] in shown


async def test_whatever_a_feed_says_is_text(reader: ClientSession, library: Library) -> None:
    feed_id = await library.feed(title=HOSTILE)
    entry_id = await library.entry(
        feed_id, HOSTILE, author=HOSTILE, teaser=HOSTILE, url="javascript:alert(1)"
    )
    await library.dead_end(entry_id, Reason.HTTP_STATUS, HOSTILE)

    for path in (
        "/",
        f"/?feed={feed_id}",
        f"/entries/{entry_id}",
        "/fragments/feeds",
        f"/fragments/entries/{entry_id}",
    ):
        shown = await page(reader, path)
        assert ESCAPED in shown
        assert HOSTILE not in shown
        assert "<img src=x" not in shown
        assert "javascript:" not in shown


async def test_a_refused_address_is_explained_beside_the_form(reader: ClientSession) -> None:
    answer = await reader.post("/feeds", data={"url": 'http://10.0.0.1/"><b>'})

    shown = await answer.text()
    assert answer.status == 422
    assert ADVICE[Reason.ADDRESS_FORBIDDEN] in shown
    assert 'value="http://10.0.0.1/&#34;&gt;&lt;b&gt;"' in shown
    assert 'aria-describedby="refusal"' in shown


async def test_a_form_without_an_address_is_refused_likewise(reader: ClientSession) -> None:
    answer = await reader.post("/feeds", data={})

    assert answer.status == 422
    assert ADVICE[Reason.URL_INVALID] in await answer.text()


async def test_a_feed_added_by_the_form_shows_its_run(
    reader: ClientSession, orchestrator: Client
) -> None:
    answer = await reader.post(
        "/feeds", data={"url": "https://news.example/feed"}, allow_redirects=False
    )

    where = answer.headers["Location"]
    assert answer.status == 303
    assert where.startswith("/?run=feed-ingestion/")
    run = where.removeprefix("/?run=")
    feed_id = int(run.split("/")[1])
    progress = IngestionProgress(
        feed_id=feed_id, step=RunStep.FETCHING, total=9, fetched=4, distilled=2, unavailable=1
    )
    await orchestrator.get_workflow_handle(run.rpartition("/")[0]).signal("come_to", progress)
    shown = await page(reader, where)
    assert f'data-run="{run}"' in shown
    assert "data-running" in shown
    assert 'max="9" value="3"' in shown
    assert "<strong data-step>Fetching articles</strong>" in shown


async def test_the_end_of_a_run_is_shown_where_it_ran(
    reader: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()
    answer = await reader.post(f"/feeds/{feed_id}/refresh", allow_redirects=False)
    run = answer.headers["Location"].removeprefix("/?run=")
    handle = orchestrator.get_workflow_handle(run.rpartition("/")[0])
    await handle.signal("come_to", IngestionProgress(feed_id=feed_id, detail="no answer"))
    await handle.signal("finish")
    await handle.result()

    shown = await page(reader, f"/fragments/runs/{run}")

    assert "<strong data-step>Done</strong>" in shown
    assert "no answer" in shown
    assert "data-running" not in shown


async def test_a_run_under_way_is_shown_without_being_asked_for(
    reader: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()
    await reader.post(f"/feeds/{feed_id}/refresh", allow_redirects=False)

    async with asyncio.timeout(20):
        while f'data-run="feed-ingestion/{feed_id}/' not in (shown := await page(reader)):
            await asyncio.sleep(0.05)

    assert '<h2 id="run-title">News</h2>' in shown


async def test_a_run_that_never_was_spoils_nothing(reader: ClientSession) -> None:
    for run in ("x", "feed-ingestion/1/0190a5b0-0000-7000-8000-000000000000", "/"):
        assert "data-run" not in await page(reader, f"/?run={run}")


async def test_a_removed_feed_is_gone_from_the_page(
    reader: ClientSession, library: Library
) -> None:
    feed_id = await library.feed(title="Short-lived")

    answer = await reader.post(f"/feeds/{feed_id}/remove")

    assert str(answer.url.path_qs) == "/"
    assert "Short-lived" not in await answer.text()


async def test_older_entries_are_a_link_away(reader: ClientSession, library: Library) -> None:
    feed_id = await library.feed()
    for n in range(31):
        await library.entry(feed_id, f"entry {n:02}", published_at=NOON - timedelta(hours=n))

    first = await page(reader)
    link = first.split('<a rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = await page(reader, link)

    assert "entry 29" in first
    assert "entry 30" not in first
    assert "entry 30" in second
    assert "entry 29" not in second
    assert 'data-live="shown"' in second


async def test_the_page_asks_for_events_after_what_it_shows(
    reader: ClientSession, library: Library
) -> None:
    feed_id = await library.feed()
    await reader.post(f"/feeds/{feed_id}/remove", allow_redirects=False)

    assert 'id="entries" data-after="1"' in await page(reader)


async def test_an_article_is_shown_as_it_was_sanitised(
    reader: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id, "<p>Grain &amp; <em>stone</em></p>")
    await library.distillate(entry_id)

    shown = await page(reader, f"/entries/{entry_id}")

    assert '<div class="article"><p>Grain &amp; <em>stone</em></p></div>' in shown
    # The passage is not in this HTML, so it is quoted.
    assert (
        "<summary>Nothing is wasted.</summary><blockquote>It wastes nothing.</blockquote>" in shown
    )


async def test_a_key_point_leads_to_its_sentence(reader: ClientSession, library: Library) -> None:
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id)
    await library.distillate(entry_id)

    shown = await page(reader, f"/entries/{entry_id}")

    assert '<li><a class="source" href="#passage-0">Nothing is wasted.</a></li>' in shown
    assert (
        '<p><span class="passage" id="passage-0"></span><mark>It wastes nothing.</mark></p>'
        in shown
    )


async def test_whatever_a_model_says_is_text(reader: ClientSession, library: Library) -> None:
    link = "[click](https://evil.example/?q=1) ![x](https://evil.example/x.png)"
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id)
    await library.distillate(entry_id, summary=f"{HOSTILE} {link}", point=HOSTILE, topic=HOSTILE)

    for path in ("/", f"/entries/{entry_id}", f"/fragments/entries/{entry_id}"):
        shown = await page(reader, path)
        assert shown.count(ESCAPED) == 3
        assert HOSTILE not in shown
        assert link in shown
        assert 'href="https://evil.example' not in shown
        assert 'src="https://evil.example' not in shown


async def test_an_entry_without_article_says_so(reader: ClientSession, library: Library) -> None:
    entry_id = await library.entry(await library.feed(), teaser="In short.")

    shown = await page(reader, f"/entries/{entry_id}")

    assert "Waiting to be fetched." in shown
    assert "In short." in shown


async def test_the_page_loads_nothing_from_elsewhere(
    reader: ClientSession, library: Library
) -> None:
    await library.entry(await library.feed())
    shown = await page(reader)

    loaded = [part.split('"')[0] for part in shown.split('src="')[1:]]
    loaded += [part.split('"')[0] for part in shown.split('<link rel="')[1:]]
    for path in loaded:
        if path.startswith("/"):
            assert (await reader.get(path)).status == 200
        assert "//" not in path


async def test_an_episode_can_be_played_where_it_is(
    reader: ClientSession, library: Library
) -> None:
    audio = Enclosure(url="https://cdn.example/1.mp3", media_type="audio/mpeg", duration_seconds=60)
    hostile = Enclosure(url="https://cdn.example/%22%3E<b>", media_type="image/png")
    entry_id = await library.entry(await library.feed(), enclosures=[audio, hostile])
    await library.article(entry_id, transcript_reason=Reason.ROBOTS_DISALLOWED)

    shown = await page(reader, f"/entries/{entry_id}")

    assert '<a href="https://cdn.example/1.mp3" rel="noopener noreferrer">Audio, 1 min</a>' in shown
    assert ">Picture</a>" in shown
    assert "<b>" not in shown
    assert "Its feed names a transcript that could not be had" in shown
    assert '<span class="detail">robots disallowed</span>' in shown
    assert f"<code>feedmill refetch {entry_id}</code>" in shown


async def test_an_article_without_files_shows_no_place_for_them(
    reader: ClientSession, library: Library
) -> None:
    entry_id = await library.entry(await library.feed())
    await library.article(entry_id)

    shown = await page(reader, f"/entries/{entry_id}")

    assert 'aria-label="Files"' not in shown
    assert "transcript" not in shown
