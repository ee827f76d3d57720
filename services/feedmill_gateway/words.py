"""States in words, for people. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from feedmill.models.entries import Stage
from feedmill.models.lists import Listed, OutlineOutcome
from feedmill.models.outcomes import Reason
from feedmill.models.reader import EnclosureView, FeedHealth, FeedView, RunStatus
from feedmill.models.runs import RunStep

STEPS: dict[RunStep, str] = {
    RunStep.POLLING: "Asking the feed what is new",
    RunStep.WAITING: "Waiting for the site's next turn",
    RunStep.FETCHING: "Fetching articles",
    RunStep.DISTILLING: "Distilling articles",
    RunStep.DONE: "Done",
}

ENDS: dict[RunStatus, str] = {
    RunStatus.RUNNING: "Under way",
    RunStatus.COMPLETED: "Done",
    RunStatus.FAILED: "Failed",
    RunStatus.CANCELLED: "Cancelled",
    RunStatus.TERMINATED: "Stopped by an operator",
    RunStatus.TIMED_OUT: "Took too long",
}

STAGES: dict[Stage, str] = {
    Stage.NEW: "Waiting to be fetched",
    Stage.FETCHED: "Waiting to be distilled",
    Stage.DISTILLED: "Distilled",
    Stage.UNAVAILABLE: "No article",
    Stage.UNDISTILLABLE: "No summary",
}

FAMILIES: dict[str, str] = {"audio": "Audio", "video": "Video", "image": "Picture"}
"""What files are, by what their media type begins with; anything else is a file."""

TROUBLES: dict[Reason | None, str] = {
    None: "More than once in the file",
    Reason.URL_INVALID: "No address that leads to a feed",
    Reason.ADDRESS_FORBIDDEN: "A private address",
    Reason.NO_FEED_URL: "No feed",
    Reason.NESTED_TOO_DEEP: "Nested too deep",
    Reason.OUTLINE_UNREADABLE: "Not readable",
}
"""What was wrong with outlines of a list; a duplicate has no reason."""

_ONE_CATEGORY = "A feed is in one category here: where it stands first in the file."

_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
# Further away than this, a date says more than a count of days.
_COUNTED_DAYS = timedelta(days=14)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 entry`, `2 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def when(moment: datetime, now: datetime) -> str:
    """Return a time the way one would say it at `now`: `5 minutes ago`, `in 2 hours`, `3 March 2026`."""
    distance = abs(now - moment)
    if distance > _COUNTED_DAYS:
        return f"{moment.day} {moment:%B %Y}"
    for unit, name in _UNITS:
        if distance >= unit:
            span = counted(distance // unit, name)
            return f"in {span}" if moment > now else f"{span} ago"
    return "in a moment" if moment > now else "just now"


def enclosure_words(enclosure: EnclosureView) -> str:
    """Return what a file is, how long it takes and how large it is: `Audio, 1 h 5 min, 60 MB`."""
    said = [FAMILIES.get(enclosure.media_type.partition("/")[0], "File")]
    if enclosure.duration_seconds is not None:
        said.append(_span(enclosure.duration_seconds))
    if enclosure.size_bytes is not None:
        said.append(_size(enclosure.size_bytes))
    return ", ".join(said)


def _span(seconds: int) -> str:
    hours, minutes = divmod(max(round(seconds / 60), 1), 60)
    return " ".join(
        f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min")) if number
    )


def _size(size_bytes: int) -> str:
    megabytes = size_bytes / 1_000_000
    return f"{megabytes:,.0f} MB" if megabytes >= 1 else "less than 1 MB"


def feed_words(feed: FeedView, now: datetime) -> str:
    """Return in one line when a feed was polled, and what it gave."""
    if feed.last_polled_at is None:
        return "Not polled yet"
    polled = f"Polled {when(feed.last_polled_at, now)}"
    pushed = ", news is pushed" if feed.pushed else ""
    waiting = f", {feed.waiting:,} waiting" if feed.waiting else ""
    return f"{polled}{pushed} · {counted(feed.entries, 'entry', 'entries')}{waiting}"


def category_words(path: Sequence[str]) -> str:
    """Return a category the way it is shown: `Tech / AI`."""
    return " / ".join(path)


def by_category(feeds: Sequence[FeedView]) -> list[tuple[str, list[FeedView]]]:
    """Return feeds under the names of their categories, those in none first; their order stays."""
    shelves: dict[tuple[str, ...], list[FeedView]] = {}
    for feed in feeds:
        shelves.setdefault(feed.category, []).append(feed)
    in_order = sorted(shelves, key=lambda path: [name.casefold() for name in path])
    return [(category_words(path), shelves[path]) for path in in_order]


def failure_words(feed: FeedView, now: datetime) -> str:
    """Return in one line how a feed failed, and when it is tried again."""
    if feed.health is FeedHealth.RETIRED:
        return "Not polled any more."
    tries = _tries(feed, now)
    if feed.next_poll_at is None or feed.next_poll_at <= now:
        return f"{tries}."
    return f"{tries}. Next try {when(feed.next_poll_at, now)} at the earliest."


def _tries(feed: FeedView, now: datetime) -> str:
    if feed.health is FeedHealth.BUSY:
        return "The site is busy"
    if feed.health is FeedHealth.DEAD and feed.failing_since is not None:
        return f"Nothing since {when(feed.failing_since, now)}"
    return "The last poll failed" if feed.failures == 1 else f"{feed.failures:,} polls failed"


def by_trouble(lines: Sequence[OutlineOutcome]) -> list[tuple[str, str, list[OutlineOutcome]]]:
    """Return the lines of a list that could not be followed: under what is wrong, and what helps."""
    troubles: dict[tuple[str, str], list[OutlineOutcome]] = {}
    for line in lines:
        if line.outcome is not Listed.FOLLOWED:
            words = TROUBLES.get(line.reason, "Not followed")
            troubles.setdefault((words, line.advice or _ONE_CATEGORY), []).append(line)
    return [(words, advice, found) for (words, advice), found in troubles.items()]


def percent(share: float) -> str:
    """Return a share of 1 in percent: `82 %`."""
    return f"{share:.0%}".replace("%", "\N{NO-BREAK SPACE}%")
