"""Rows as the other services leave them: feeds, entries, articles, distillates."""

from datetime import UTC, datetime, timedelta

from feedmill.models.distillates import ContentToDistill, Distillate, Distiller, KeyPoint, Recipe
from feedmill.models.entries import Content, Stage
from feedmill.models.events import EventKind, NewEvent, RunRef
from feedmill.models.feeds import SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill.store import Store, Transaction
from feedmill.store.contents import hash_text
from feedmill.store.distillates import Result
from feedmill.store.users import OWNER
from support.live_gateway import TOKEN

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TEXT = "The mill grinds at night.\nIt wastes nothing.\nNobody hears it."
HTML = "<p>The mill grinds at night.</p><p>It wastes nothing.</p>"
MODEL = Recipe(id="recipe-1", distiller=Distiller.MODEL, model="small-1", prompt_version="1")


class Library:
    """Writes what the rest of the fleet would."""

    def __init__(self, store: Store, user_id: int) -> None:
        self._store = store
        self.user_id = user_id

    async def feed(
        self, url: str = "https://news.example/feed", title: str = "News", *, followed: bool = True
    ) -> int:
        """Add a feed that a neighbour follows, and the owner too unless told otherwise."""
        async with self._store.transaction() as tx:
            feed_id = await tx.feeds.add(url)
            neighbour = await tx.users.let_in("neighbour", "the neighbour's own token")
            await tx.feeds.subscribe(neighbour, feed_id)
            if followed:
                await tx.feeds.subscribe(self.user_id, feed_id)
            await self._stands(
                tx, feed_id, timedelta(hours=1), title=title, site_url="https://news.example/"
            )
        return feed_id

    async def entry(self, feed_id: int, title: str = "Night shift", **shown: object) -> int:
        """Add an entry, published at NOON unless `shown` says otherwise."""
        fields = {
            "guid": title,
            "title": title,
            "url": "https://news.example/night",
            "published_at": NOON,
            **shown,
        }
        async with self._store.transaction() as tx:
            shown = SnapshotEntry.model_validate(fields)
            [entry_id] = (await tx.entries.add_new({feed_id: [shown]}))[feed_id]
        return entry_id

    async def article(
        self, entry_id: int, html: str = HTML, *, withheld: str | None = None, **more: object
    ) -> None:
        content = Content(
            url="https://news.example/night",
            html=html,
            text=TEXT,
            word_count=11,
            extractor="test",
            withheld=withheld,
        ).model_copy(update=more)
        async with self._store.transaction() as tx:
            await tx.contents.save(entry_id, content)
            await tx.entries.move(entry_id, before=Stage.NEW, after=Stage.FETCHED)

    async def distillate(
        self,
        entry_id: int,
        summary: str = "A mill that never sleeps.",
        recipe: Recipe = MODEL,
        *,
        point: str = "Nothing is wasted.",
        topic: str = "mills",
    ) -> None:
        content = ContentToDistill(
            entry_id=entry_id, feed_id=0, title="", text=TEXT, content_hash=hash_text(TEXT)
        )
        made = Distillate(
            summary=summary,
            key_points=(KeyPoint(text=point, start=26, end=44),),
            topics=(topic,),
            relevance=0.75,
        )
        async with self._store.transaction() as tx:
            await tx.distillates.save(content, [Result(recipe, made)])
            await tx.entries.move(entry_id, before=Stage.FETCHED, after=Stage.DISTILLED)

    async def dead_end(self, entry_id: int, reason: Reason, detail: str = "") -> None:
        async with self._store.transaction() as tx:
            await tx.entries.move(
                entry_id, before=Stage.NEW, after=Stage.UNAVAILABLE, reason=reason, detail=detail
            )

    async def failed_poll(self, feed_id: int, reason: Reason, detail: str = "") -> None:
        async with self._store.transaction() as tx:
            await self._stands(
                tx,
                feed_id,
                timedelta(minutes=30),
                last_reason=reason,
                last_detail=detail,
                failures=1,
            )

    async def _stands(
        self, tx: Transaction, feed_id: int, next_poll_in: timedelta, **changes: object
    ) -> None:
        """Write down how a feed stands after a poll."""
        feed, now = (await tx.feeds.get([feed_id]))[feed_id], await tx.now()
        polled = {"last_polled_at": now, "next_poll_at": now + next_poll_in}
        await tx.feeds.keep([feed.model_copy(update=polled | changes)])

    async def event(
        self, kind: EventKind, feed_id: int, entry_id: int | None = None, run: RunRef | None = None
    ) -> None:
        async with self._store.transaction() as tx:
            tx.events.append(NewEvent(kind=kind, feed_id=feed_id, entry_id=entry_id, run=run))


async def open_library(store: Store) -> Library:
    """Let the owner in, with the token that test clients send."""
    async with store.transaction() as tx:
        return Library(store, await tx.users.let_in(OWNER, TOKEN))
