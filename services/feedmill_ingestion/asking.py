"""Asking one feed what it shows, and reading the answer. Nothing is written down here."""

import hashlib

from feedmill.isolation import IsolatedPool
from feedmill.models.feeds import FeedToPoll, Rejected, Validators
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Answer, Deferred, Refusal, Reply
from feedmill.web.client import Admission, Permission, WebClient
from feedmill.web.governor import Governor
from feedmill_ingestion.finding import Finder, Search, is_sought
from feedmill_ingestion.parsing import PAGE, PARSER, FeedUnreadable
from feedmill_ingestion.polls import Failed, Poll, Postponed, Shown, TurnedAway
from feedmill_ingestion.reading import read_body

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)
MAX_FEED_BYTES = 10_000_000

_OK = 200
_NOT_MODIFIED = 304
_FORBIDDEN = 403

_STATUSES = {
    401: Reason.LOGIN_NEEDED,
    404: Reason.NOT_FOUND,
    407: Reason.LOGIN_NEEDED,
    410: Reason.GONE,
}


class Asker:
    """Asks feeds, politely, and has their bodies read elsewhere."""

    def __init__(self, web: WebClient, governor: Governor, parsers: IsolatedPool) -> None:
        self._web = web
        self._governor = governor
        self._parsers = parsers
        self._finder = Finder(web, parsers, self._ask_within)

    async def ask(self, feed: FeedToPoll, admit: Admission) -> Poll:
        """Make one conditional GET. Whatever the site does is in the answer.

        Where the feed is new and its address is that of a page, the page's feed is looked for, which
        may take some requests more.
        """
        if not is_sought(feed):
            return await self._understand(feed, await self._get(feed, admit))
        search = Search(admit)
        return await self._finder.by_address(feed, search) or await self._seek(feed, search)

    async def _seek(self, feed: FeedToPoll, search: Search) -> Poll:
        """Ask for what may be a page, and look for its feed then."""
        reply = await self._get(feed, search.admit, search.permit)
        poll = await self._understand(feed, reply)
        is_page = isinstance(poll, Failed) and poll.detail == PAGE
        if not isinstance(reply, Answer) or not is_page:
            return poll
        nothing = poll.model_copy(update={"detail": f"{PAGE} that leads to no feed"})
        return await self._finder.on_page(feed, reply, search) or nothing

    async def _ask_within(self, feed: FeedToPoll, search: Search) -> Poll:
        return await self._understand(feed, await self._get(feed, search.admit, search.permit))

    async def _get(
        self, feed: FeedToPoll, admit: Admission, permit: Permission | None = None
    ) -> Reply:
        return await self._web.get(
            feed.url,
            purpose="feed",
            accept=ACCEPT,
            max_bytes=MAX_FEED_BYTES,
            admit=admit,
            permit=permit,
            validators=_validators(feed),
            subscribers=feed.subscribers,
        )

    async def _understand(self, feed: FeedToPoll, reply: Reply) -> Poll:
        if isinstance(reply, Deferred):
            return _deferred(reply)
        if isinstance(reply, Refusal):
            return _refused(reply)
        return await self._heed(feed, reply)

    async def _heed(self, feed: FeedToPoll, answer: Answer) -> Poll:
        # A site that has shown us the feed before does not mean "never" by forbidding it.
        is_limiter = answer.status == _FORBIDDEN and feed.last_success_at is not None
        until = await self._governor.heed(answer, as_refusal=is_limiter)
        if until is not None and answer.asks_for_time:
            return TurnedAway(until=until, detail=str(answer.status))
        asked_with = _validators(feed)
        if answer.status == _NOT_MODIFIED and asked_with.usable and asked_with.url == answer.url:
            return _not_modified(feed, asked_with, answer)
        if answer.status != _OK:
            return _wrong_status(answer)
        return await self._read(feed, answer)

    async def _read(self, feed: FeedToPoll, answer: Answer) -> Shown | Failed:
        body_hash = hashlib.sha256(answer.body).hexdigest()
        shown = Shown(
            validators=answer.validators,
            fresh_for=answer.max_age,
            moved_to=answer.moved_to,
            hub=answer.hub,
        )
        if body_hash == feed.body_hash:
            return shown
        parsed = await read_body(self._parsers, answer.body, charset=answer.charset, url=answer.url)
        if isinstance(parsed, FeedUnreadable):
            return _unreadable(parsed, answer.validators)
        return shown.model_copy(update={"snapshot": parsed, "body_hash": body_hash})


def reason_of(status: int) -> Reason:
    """Return what a status means that is not the one wished for."""
    return _STATUSES.get(status, Reason.HTTP_STATUS)


def _validators(feed: FeedToPoll) -> Validators:
    """Return what to ask with: "still what we have?", or "still what we could not read?"."""
    if feed.rejected is not None and feed.rejected.parser == PARSER:
        return feed.rejected.validators
    return feed.validators


def _deferred(deferred: Deferred) -> Postponed | Failed:
    if not deferred.begun:
        return Postponed(until=deferred.until)
    # To ask again as soon as that host has time would be to ask the first one too often.
    return Failed(reason=Reason.RATE_LIMITED, detail="where it redirects to")


def _refused(refusal: Refusal) -> Failed:
    return Failed(
        reason=refusal.reason,
        detail=refusal.detail,
        with_body=refusal.reason in {Reason.TOO_LARGE, Reason.TRUNCATED, Reason.BAD_ENCODING},
    )


def _not_modified(feed: FeedToPoll, asked_with: Validators, answer: Answer) -> Shown | Failed:
    renewed = _renewed(asked_with, answer.validators)
    if feed.rejected is not None and asked_with == feed.rejected.validators:
        # Still the body that could not be read, but it was not sent again.
        return Failed(
            reason=feed.last_reason or Reason.NOT_A_FEED,
            detail=feed.last_detail,
            with_body=True,
            rejected=feed.rejected.model_copy(update={"validators": renewed}),
        )
    return Shown(
        validators=renewed, fresh_for=answer.max_age, moved_to=answer.moved_to, hub=answer.hub
    )


def _renewed(held: Validators, given: Validators) -> Validators:
    """Return the held validators with those in place that a 304 renewed."""
    return held.model_copy(
        update={
            "etag": given.etag or held.etag,
            "last_modified": given.last_modified or held.last_modified,
        }
    )


def _wrong_status(answer: Answer) -> Failed:
    return Failed(
        reason=reason_of(answer.status),
        detail=str(answer.status),
        wait=answer.asked_wait,
        # "Unchanged", to somebody who has nothing: as good as the whole for nothing.
        with_body=answer.status == _NOT_MODIFIED,
    )


def _unreadable(parsed: FeedUnreadable, validators: Validators) -> Failed:
    # Half a body shares its validators with the whole one.
    keeps = validators.usable and parsed.reason is not Reason.TRUNCATED
    return Failed(
        reason=parsed.reason,
        detail=parsed.detail,
        with_body=True,
        rejected=Rejected(validators=validators, parser=PARSER) if keeps else None,
    )
