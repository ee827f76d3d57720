"""What a poll changes about a feed. Pure."""

from datetime import datetime, timedelta

from feedmill.models.feeds import FeedToPoll
from feedmill.models.outcomes import Reason
from feedmill_ingestion.moves import may_be_kept
from feedmill_ingestion.polls import Failed, Found, Poll, Shown, TurnedAway
from feedmill_ingestion.rhythm import entries_per_week, newest
from feedmill_ingestion.scheduling import (
    Pace,
    interval_after_failure,
    interval_after_success,
    next_turn,
)

# A feed that says it is gone is believed when it says so still after so long.
_GONE_AFTER = timedelta(days=1)
_GONE_INTERVAL = timedelta(hours=12)


def after_poll(feed: FeedToPoll, poll: Poll, *, now: datetime, pace: Pace) -> FeedToPoll:
    """Return the feed as it stands after a poll that ended at `now`."""
    if isinstance(poll, Shown):
        return _after_success(feed, poll, now, pace)
    if isinstance(poll, Found):
        return _after_success(feed, poll.shown, now, pace)
    if isinstance(poll, Failed):
        return _after_failure(feed, poll, now, pace)
    if isinstance(poll, TurnedAway):
        return _after_refusal(feed, poll, now)
    return feed.model_copy(update={"next_poll_at": poll.until})


def _after_success(feed: FeedToPoll, poll: Shown, now: datetime, pace: Pace) -> FeedToPoll:
    changes: dict[str, object] = {
        "validators": poll.validators,
        "rejected": None,
        "last_polled_at": now,
        "last_success_at": now,
        "last_reason": None,
        "last_detail": "",
        "failures": 0,
        "failing_since": None,
        "gone_since": None,
        "retired_at": None,
    }
    seen = feed.model_copy(update=changes | _shown(feed, poll, now) | _moving(feed, poll, now))
    interval = interval_after_success(seen, now=now, pace=pace, fresh_for=poll.fresh_for)
    return _with_turn(seen, now, interval, pace)


def _shown(feed: FeedToPoll, poll: Shown, now: datetime) -> dict[str, object]:
    """Return what a feed says about itself, if it said anything new."""
    snapshot = poll.snapshot
    if snapshot is None:
        return {}
    published = [entry.published_at for entry in snapshot.entries if entry.published_at]
    hub_url, topic_url = snapshot.hub_url, snapshot.self_url
    if poll.hub is not None:
        hub_url, topic_url = poll.hub.url, poll.hub.topic
    return {
        "title": snapshot.title,
        "site_url": snapshot.site_url,
        "body_hash": poll.body_hash,
        "hints": snapshot.hints,
        "entries_per_week": entries_per_week(now, published),
        "newest_entry_at": newest(now, published) or feed.newest_entry_at,
        "hub_url": hub_url,
        "topic_url": topic_url if hub_url else None,
    }


def _moving(feed: FeedToPoll, poll: Shown, now: datetime) -> dict[str, object]:
    """Return how long and how often a feed has said that it lives elsewhere."""
    moved_to = poll.moved_to if poll.moved_to and may_be_kept(poll.moved_to) else None
    if moved_to is None or moved_to != feed.moved_to:
        since = now if moved_to else None
        return {"moved_to": moved_to, "moved_since": since, "moved_polls": 1 if moved_to else 0}
    return {"moved_polls": feed.moved_polls + 1}


def _after_failure(feed: FeedToPoll, poll: Failed, now: datetime, pace: Pace) -> FeedToPoll:
    gone_since = feed.gone_since or now if poll.reason is Reason.GONE else feed.gone_since
    failed = feed.model_copy(
        update={
            "last_polled_at": now,
            "last_reason": poll.reason,
            "last_detail": poll.detail,
            "failures": feed.failures + 1,
            "failing_since": feed.failing_since or now,
            "gone_since": gone_since,
            "rejected": poll.rejected if poll.with_body else feed.rejected,
        }
    )
    if poll.reason is Reason.GONE and gone_since is not None and now - gone_since >= _GONE_AFTER:
        return failed.model_copy(
            update={"retired_at": feed.retired_at or now, "next_poll_at": None}
        )
    interval = interval_after_failure(
        failed, now=now, least=_least_after_failure(poll, pace), asked=poll.wait
    )
    return _with_turn(failed, now, interval, pace)


def _least_after_failure(poll: Failed, pace: Pace) -> timedelta:
    if poll.reason is Reason.GONE:
        return max(pace.conditional, _GONE_INTERVAL)
    # The same body would be sent again and again, unless it can be asked for by its validators.
    return pace.unconditional if poll.with_body and poll.rejected is None else pace.conditional


def _after_refusal(feed: FeedToPoll, poll: TurnedAway, now: datetime) -> FeedToPoll:
    # The host's doing, not the feed's: its failures stay what they were.
    return feed.model_copy(
        update={
            "last_polled_at": now,
            "last_reason": Reason.RATE_LIMITED,
            "last_detail": poll.detail,
            "next_poll_at": poll.until,
        }
    )


def _with_turn(feed: FeedToPoll, now: datetime, interval: timedelta, pace: Pace) -> FeedToPoll:
    turn = next_turn(
        feed.id, now=now, interval=interval, shortest=pace.conditional, hints=feed.hints
    )
    return feed.model_copy(update={"next_poll_at": turn})
