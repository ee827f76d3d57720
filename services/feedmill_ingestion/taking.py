"""Reading what hubs have sent, and writing down what is new of it as a poll does."""

import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from feedmill.isolation import IsolatedPool
from feedmill.models.feeds import FeedSnapshot
from feedmill.models.hubs import Push, PushesTaken, TakePushes
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_ADDED, PUSHES
from feedmill.web.headers import charset
from feedmill.worker import in_parallel
from feedmill_ingestion.news import add_new, news_of
from feedmill_ingestion.parsing import FeedUnreadable
from feedmill_ingestion.reading import read_body
from feedmill_ingestion.rhythm import newest
from feedmill_ingestion.scheduling import Pace, hastened
from feedmill_ingestion.silence import after_push

log = get_logger(__name__)

# Each is megabytes in memory while it is read.
_AT_ONCE = 4
_SLICE = 100
# What is new goes on its way when the answer is given.
_SECONDS = 10


class _Taken(NamedTuple):
    """What became of one push; both false when somebody else has read it."""

    new_entry_ids: tuple[int, ...] = ()
    is_read: bool = False
    is_unreadable: bool = False


class PushTaker:
    """Reads pushes until none waits, time is up or enough is new.

    Parameters
    ----------
    pace
        How soon a feed may be polled whose push could not be read.
    owner
        Under which name pushes are read: the same for every attempt of one activity.
    stopping
        Whether the process is asked to leave: then nothing new is begun.
    """

    def __init__(
        self,
        store: Store,
        parsers: IsolatedPool,
        pace: Pace,
        *,
        owner: str,
        stopping: Callable[[], bool],
    ) -> None:
        self._store = store
        self._parsers = parsers
        self._pace = pace
        self._owner = owner
        self._stopping = stopping
        self._answer = PushesTaken()

    async def take_up(self) -> None:
        """Go on after an attempt that broke off: what it found new is not lost."""
        async with self._store.transaction() as tx:
            waiting = await tx.entries.waiting(await tx.websub.read_by(self._owner))
        found = tuple(entry_id for ids in waiting.values() for entry_id in ids)
        self._answer = self._answer.model_copy(update={"new_entry_ids": found})

    async def take(self, request: TakePushes) -> PushesTaken:
        """Read what waits; say what is new and how much still waits."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline and not self._stopping():
            taken = await self._take_some(request)
            self._answer = answer = _with(self._answer, taken)
            if not taken or len(answer.new_entry_ids) >= request.most_new_entries:
                break
        async with self._store.transaction() as tx:
            left = await tx.pushes.count(shard=request.shard, shards=request.shards)
        return self._answer.model_copy(update={"left": left})

    async def _take_some(self, request: TakePushes) -> list[_Taken]:
        async with self._store.transaction() as tx:
            waiting = await tx.pushes.waiting(
                shard=request.shard, shards=request.shards, limit=_SLICE
            )
        return await in_parallel(self._take, waiting, at_once=_AT_ONCE)

    async def _take(self, push_id: int) -> _Taken:
        async with self._store.transaction() as tx:
            push = await tx.pushes.get(push_id)
            feed = (await tx.feeds.get([push.feed_id])).get(push.feed_id) if push else None
        if push is None or feed is None:
            return _Taken()
        # Where polls find it: an entry known by its link must be the same one here as there.
        url = feed.validators.url or feed.url
        read = await read_body(
            self._parsers, push.body, charset=charset(push.content_type), url=url
        )
        if isinstance(read, FeedUnreadable):
            return await self._give_up(push, read)
        try:
            return await self._write(push, read)
        except DBAPIError as error:
            detail = f"not storable: {error.orig}"
            return await self._give_up(
                push, FeedUnreadable(reason=Reason.PARSER_FAILED, detail=detail)
            )

    async def _write(self, push: Push, snapshot: FeedSnapshot) -> _Taken:
        feed_id = push.feed_id
        async with self._store.transaction() as tx:
            locked = await tx.feeds.lock([feed_id])
            if not await tx.pushes.remove(push.id):
                return _Taken()
            now = await tx.now()
            new = (await add_new(tx, locked, {feed_id: snapshot.entries}))[feed_id]
            dates = [entry.published_at for entry in snapshot.entries if entry.published_at]
            await tx.feeds.has_news_of(feed_id, newest(now, dates))
            hubs = (await tx.websub.lock([feed_id])).values()
            await tx.websub.keep(after_push(each, push, owner=self._owner) for each in hubs)
            tx.events.append(*(news_of(feed_id, new) if new else []))
        ENTRIES_ADDED.inc(len(new))
        PUSHES.labels("read").inc()
        log.info("push read", feed_id=feed_id, new=len(new))
        return _Taken(tuple(new), is_read=True)

    async def _give_up(self, push: Push, why: FeedUnreadable) -> _Taken:
        """Poll the feed instead, as soon as that may be."""
        async with self._store.transaction() as tx:
            locked = await tx.feeds.lock([push.feed_id])
            if not await tx.pushes.remove(push.id):
                return _Taken()
            now = await tx.now()
            sooner = {each.id: hastened(each, now=now, pace=self._pace) for each in locked.values()}
            await tx.feeds.postpone({feed_id: at for feed_id, at in sooner.items() if at})
        PUSHES.labels("unreadable").inc()
        log.info("push unreadable", feed_id=push.feed_id, reason=why.reason, detail=why.detail)
        return _Taken(is_unreadable=True)


def _with(answer: PushesTaken, taken: list[_Taken]) -> PushesTaken:
    new = [entry_id for each in taken for entry_id in each.new_entry_ids]
    return answer.model_copy(
        update={
            "taken": answer.taken + sum(each.is_read or each.is_unreadable for each in taken),
            "unreadable": answer.unreadable + sum(each.is_unreadable for each in taken),
            "new_entry_ids": (*answer.new_entry_ids, *new),
        }
    )
