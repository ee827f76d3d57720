"""Polling feeds: ask politely, and write down all that came of it at once."""

import hashlib
from datetime import UTC, datetime, timedelta

from temporalio import activity

from feedmill.contracts.activities import IngestionActivities
from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.base import Model
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.feeds import (
    FeedDeferred,
    FeedFailed,
    FeedMissing,
    FeedPolled,
    FeedSnapshot,
    FeedsPolled,
    FeedToPoll,
    PollFeeds,
    PollOutcome,
    Validators,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store, Transaction
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_ADDED, FEEDS_POLLED
from feedmill.web.answers import Answer, Deferred, Refusal
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.worker import current_run, heartbeating, in_parallel
from feedmill_ingestion.parsing import FeedUnreadable, parse_feed
from feedmill_ingestion.scheduling import next_poll_in

log = get_logger(__name__)

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)
MAX_FEED_BYTES = 10_000_000

_FEEDS_AT_ONCE = 16
# The slowest real feed seen took 2 s.
_PARSER_SECONDS = 10
_OK = 200
_NOT_MODIFIED = 304


class _Shown(Model):
    """The feed answered. `snapshot` is None when it shows what it showed before."""

    validators: Validators
    snapshot: FeedSnapshot | None = None
    body_hash: str | None = None
    fresh_for: timedelta | None = None


class _Failed(Model):
    """The feed gave nothing."""

    reason: Reason
    detail: str
    wait: timedelta | None = None


class Poller(IngestionActivities):
    """Serves `TaskQueue.INGESTION`."""

    def __init__(
        self,
        store: Store,
        web: WebClient,
        governor: Governor,
        parsers: IsolatedPool,
        interval: timedelta,
    ) -> None:
        self._store = store
        self._web = web
        self._governor = governor
        self._parsers = parsers
        self._interval = interval

    @activity.defn
    async def poll_feeds(self, request: PollFeeds) -> FeedsPolled:
        async def poll(feed_id: int) -> PollOutcome:
            feed = feeds.get(feed_id)
            if feed is None:
                return FeedMissing(feed_id=feed_id)
            return await self._poll(feed, request.asked_at)

        async with heartbeating():
            async with self._store.transaction() as tx:
                feeds = {feed.id: feed for feed in await tx.feeds.to_poll(request.feed_ids)}
            outcomes = await in_parallel(poll, request.feed_ids, at_once=_FEEDS_AT_ONCE)
        return FeedsPolled(outcomes=tuple(outcomes))

    async def _poll(self, feed: FeedToPoll, asked_at: datetime) -> PollOutcome:
        if feed.last_polled_at is not None and feed.last_polled_at >= asked_at:
            async with self._store.transaction() as tx:
                return await _stored_outcome(tx, feed)
        reply = await self._web.get(
            feed.url,
            purpose="feed",
            accept=ACCEPT,
            max_bytes=MAX_FEED_BYTES,
            admit=self._governor.slot,
            validators=feed.validators,
        )
        if isinstance(reply, Deferred):
            FEEDS_POLLED.labels("deferred").inc()
            log.info("feed deferred", feed_id=feed.id, until=reply.until.isoformat())
            return FeedDeferred(feed_id=feed.id, until=reply.until)
        if isinstance(reply, Refusal):
            return await self._record(feed, _Failed(reason=reply.reason, detail=reply.detail))
        return await self._record(feed, await self._read(feed, reply))

    async def _read(self, feed: FeedToPoll, answer: Answer) -> _Shown | _Failed:
        until = await self._governor.heed(answer)
        if until is not None and answer.asks_for_time:
            wait = until - datetime.now(UTC)
            return _Failed(reason=Reason.RATE_LIMITED, detail=str(answer.status), wait=wait)
        if answer.status == _NOT_MODIFIED and feed.validators.url == answer.url:
            validators = _after_not_modified(feed.validators, answer)
            return _Shown(validators=validators, fresh_for=answer.max_age)
        if answer.status != _OK:
            return _Failed(
                reason=Reason.HTTP_STATUS, detail=str(answer.status), wait=answer.retry_after
            )
        return await self._parse(feed, answer)

    async def _parse(self, feed: FeedToPoll, answer: Answer) -> _Shown | _Failed:
        body_hash = hashlib.sha256(answer.body).hexdigest()
        shown = _Shown(
            validators=answer.validators,
            fresh_for=answer.max_age,
        )
        if body_hash == feed.body_hash:
            return shown
        try:
            parsed = await self._parsers.run(
                _PARSER_SECONDS,
                parse_feed,
                answer.body,
                charset=answer.charset,
                url=answer.url,
                now=datetime.now(UTC),
            )
        except IsolationError as error:
            return _Failed(reason=Reason.PARSER_FAILED, detail=str(error))
        if isinstance(parsed, FeedUnreadable):
            return _Failed(reason=parsed.reason, detail=parsed.detail)
        return shown.model_copy(update={"snapshot": parsed, "body_hash": body_hash})

    async def _record(self, feed: FeedToPoll, poll: _Shown | _Failed) -> PollOutcome:
        async with self._store.transaction() as tx:
            stored = await tx.feeds.lock(feed.id)
            if stored is None:
                return FeedMissing(feed_id=feed.id)
            if stored.last_polled_at != feed.last_polled_at:
                # Somebody polled it meanwhile. Theirs stands: ours may be the older answer.
                return await _stored_outcome(tx, stored)
            if isinstance(poll, _Failed):
                await self._record_failure(tx, feed, poll)
                new = 0
            else:
                new = await self._record_success(tx, feed, poll)
            outcome = await _outcome(tx, feed.id, poll)
        _tell(feed.id, poll, new)
        return outcome

    async def _record_success(self, tx: Transaction, feed: FeedToPoll, poll: _Shown) -> int:
        run = current_run()
        shown = poll.snapshot.entries if poll.snapshot is not None else ()
        new = await tx.entries.add_new(feed.id, shown)
        await tx.feeds.record_success(
            feed.id,
            poll.validators,
            next_poll_in=next_poll_in(self._interval, at_least=poll.fresh_for),
            snapshot=poll.snapshot,
            body_hash=poll.body_hash,
        )
        tx.events.append(
            NewEvent(
                kind=EventKind.FEED_POLLED, feed_id=feed.id, run=run, detail=f"{len(new)} new"
            ),
            *(
                NewEvent(kind=EventKind.ENTRY_ADDED, feed_id=feed.id, entry_id=entry_id, run=run)
                for entry_id in new
            ),
        )
        return len(new)

    async def _record_failure(self, tx: Transaction, feed: FeedToPoll, poll: _Failed) -> None:
        wait = next_poll_in(self._interval, failures=feed.failures + 1, at_least=poll.wait)
        await tx.feeds.record_failure(feed.id, poll.reason, poll.detail, next_poll_in=wait)
        tx.events.append(
            NewEvent(
                kind=EventKind.FEED_FAILED, feed_id=feed.id, run=current_run(), detail=poll.reason
            )
        )


def _after_not_modified(held: Validators, answer: Answer) -> Validators:
    """Return the held validators with those in place that the 304 renewed."""
    given = answer.validators
    return held.model_copy(
        update={
            "etag": given.etag or held.etag,
            "last_modified": given.last_modified or held.last_modified,
        }
    )


async def _stored_outcome(tx: Transaction, feed: FeedToPoll) -> PollOutcome:
    if feed.last_reason is None:
        return await _outcome(tx, feed.id, None)
    return await _outcome(tx, feed.id, _Failed(reason=feed.last_reason, detail=feed.last_detail))


async def _outcome(tx: Transaction, feed_id: int, poll: _Shown | _Failed | None) -> PollOutcome:
    waiting = tuple(await tx.entries.waiting(feed_id))
    if isinstance(poll, _Failed):
        return FeedFailed(
            feed_id=feed_id, reason=poll.reason, detail=poll.detail, waiting_entry_ids=waiting
        )
    return FeedPolled(feed_id=feed_id, waiting_entry_ids=waiting)


def _tell(feed_id: int, poll: _Shown | _Failed, new: int) -> None:
    if isinstance(poll, _Failed):
        FEEDS_POLLED.labels(poll.reason).inc()
        log.info("feed failed", feed_id=feed_id, reason=poll.reason, detail=poll.detail)
        return
    outcome = "changed" if poll.snapshot is not None else "unchanged"
    FEEDS_POLLED.labels(outcome).inc()
    ENTRIES_ADDED.inc(new)
    log.info("feed polled", feed_id=feed_id, outcome=outcome, new=new)
