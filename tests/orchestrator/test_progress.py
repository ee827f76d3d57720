import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill.models.feeds import FeedDeferred, FeedFailed, FeedMissing, FeedPolled
from feedmill.models.outcomes import Reason
from feedmill.models.runs import AllFeedsProgress
from feedmill_orchestrator.workflows.progress import after_polls, early_slices, waiting
from support.clock import NOON


@pytest.mark.parametrize(
    ("count", "size", "sizes"),
    [
        pytest.param(0, 10, [], id="nothing"),
        pytest.param(1, 10, [1], id="one"),
        pytest.param(3, 10, [1, 2], id="few"),
        pytest.param(20, 10, [1, 3, 8, 8], id="a feed's"),
        pytest.param(9, 2, [1, 2, 2, 2, 2], id="never more than a slice"),
        pytest.param(3, 1, [1, 1, 1], id="one by one"),
    ],
)
def test_first_slices_are_small(count: int, size: int, sizes: list[int]) -> None:
    assert [len(slice_) for slice_ in early_slices(range(count), size)] == sizes


@given(st.lists(st.integers(), unique=True), st.integers(1, 50))
def test_every_entry_is_in_one_slice(entry_ids: list[int], size: int) -> None:
    cut = early_slices(entry_ids, size)

    assert sorted(entry_id for slice_ in cut for entry_id in slice_) == sorted(entry_ids)
    assert [entry_id for slice_ in cut for entry_id in slice_][:1] == entry_ids[:1]
    assert all(0 < len(slice_) <= size for slice_ in cut)


def test_polls_are_counted_by_how_they_ended() -> None:
    outcomes = (
        FeedPolled(feed_id=1, waiting_entry_ids=(3, 4)),
        FeedFailed(feed_id=2, reason=Reason.TIMED_OUT, waiting_entry_ids=(4, 5)),
        FeedMissing(feed_id=3),
        FeedDeferred(feed_id=4, until=NOON),
    )

    progress = after_polls(AllFeedsProgress(total=4, polled=1), outcomes)

    assert progress == AllFeedsProgress(total=4, polled=2, failed=1, missing=1)
    assert waiting(outcomes) == (3, 4, 5)
