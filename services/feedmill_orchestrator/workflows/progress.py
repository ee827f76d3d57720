"""How a run's progress follows from the outcomes of its slices. Pure."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

from feedmill.models.distillates import DistillOutcome
from feedmill.models.entries import ContentUnavailable, EntryDeferred, FetchOutcome
from feedmill.models.feeds import FeedDeferred, FeedFailed, FeedPolled, PollOutcome
from feedmill.models.outcomes import Reason
from feedmill.models.runs import AllFeedsProgress, EntriesProgress, IngestionProgress, RunStep

P = TypeVar("P", bound=EntriesProgress)

_BUDGET_SPENT = "today's budget for the language model is spent"


def after_poll(progress: IngestionProgress, polled: PollOutcome) -> IngestionProgress:
    """Return the progress once the feed has answered, or has given nothing."""
    changes: dict[str, object] = {"step": RunStep.FETCHING, "waiting_until": None}
    if isinstance(polled, FeedFailed):
        changes |= {"reason": polled.reason, "detail": polled.detail}
    if isinstance(polled, FeedDeferred):
        until = f"until {polled.until:%Y-%m-%d %H:%M} UTC"
        changes |= {"reason": Reason.WAITED_TOO_LONG, "detail": until}
    if isinstance(polled, FeedPolled):
        changes |= {"found": tuple(link.url for link in polled.found)}
    waiting = getattr(polled, "waiting_entry_ids", ())
    return progress.model_copy(update={**changes, "total": len(waiting)})


def after_polls(progress: AllFeedsProgress, outcomes: Sequence[PollOutcome]) -> AllFeedsProgress:
    """Return the progress over feeds once a slice of them has been polled."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return progress.model_copy(
        update={
            "polled": progress.polled + counts["polled"],
            "failed": progress.failed + counts["failed"],
            "missing": progress.missing + counts["missing"],
        }
    )


def waiting(outcomes: Sequence[PollOutcome]) -> tuple[int, ...]:
    """Return the entries that polls have found waiting, each once."""
    found = (
        entry_id for outcome in outcomes for entry_id in getattr(outcome, "waiting_entry_ids", ())
    )
    return tuple(dict.fromkeys(found))


def after_fetch(progress: P, outcomes: Sequence[FetchOutcome]) -> P:
    """Return the progress once a slice, or a part of it, has been fetched."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return progress.model_copy(
        update={
            "step": RunStep.DISTILLING if counts["fetched"] else progress.step,
            "total": progress.total - counts["gone"],
            "fetched": progress.fetched + counts["fetched"],
            "unchanged": progress.unchanged + counts["unchanged"],
            "unavailable": progress.unavailable + counts["unavailable"],
        }
    )


def after_failures(progress: P, outcomes: Sequence[FetchOutcome]) -> P:
    """Return the progress with why the last of these entries has no article, if one has none."""
    failures = [
        f"{outcome.reason}: {outcome.detail}".removesuffix(": ")
        for outcome in outcomes
        if isinstance(outcome, ContentUnavailable | EntryDeferred) and outcome.reason is not None
    ]
    return progress.model_copy(update={"detail": failures[-1]}) if failures else progress


def after_distillation(progress: P, outcomes: Sequence[DistillOutcome]) -> P:
    """Return the progress once a slice has been distilled."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    return progress.model_copy(
        update={
            "distilled": progress.distilled + counts["distilled"],
            "undistillable": progress.undistillable + counts["undistillable"],
            "left": progress.left + counts["skipped"] + counts["deferred"],
            "detail": _BUDGET_SPENT if counts["deferred"] else progress.detail,
        }
    )


def deferred(outcomes: Sequence[FetchOutcome]) -> list[EntryDeferred]:
    """Return the outcomes of the entries whose turn has not come yet."""
    return [outcome for outcome in outcomes if isinstance(outcome, EntryDeferred)]


def slices(entry_ids: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Deal entry ids out to slices of at most `size`, one to each in turn.

    Entries of a feed stand beside one another and live on one host, which is asked one at a time: so
    dealt, a slice has many hosts to ask, and none waits for the others at its own.
    """
    count = -(-len(entry_ids) // size)
    return [tuple(entry_ids[start::count]) for start in range(count)]


# The first entries go alone, so that there is something to read while the rest is on its way.
_EARLY = (1, 3)


def early_slices(entry_ids: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Deal entry ids out to slices of at most `size`, but for the first ones: these are small."""
    early = [min(size, count) for count in _EARLY]
    starts = [0, *accumulate(early)]
    first = [
        tuple(entry_ids[start : start + count])
        for start, count in zip(starts, early, strict=False)
        if start < len(entry_ids)
    ]
    return first + slices(entry_ids[starts[-1] :], size)
