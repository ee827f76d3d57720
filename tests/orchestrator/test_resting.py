from datetime import UTC, datetime, timedelta

import pytest

from feedmill.models.feeds import DueFeedsPolled
from feedmill.models.runs import TendShard
from feedmill_orchestrator.workflows.resting import rest_until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("due_in", "rest"),
    [
        pytest.param(-MINUTE, timedelta(0), id="cut short: at once"),
        pytest.param(10 * SECOND, 10 * SECOND, id="at hand"),
        pytest.param(MINUTE, 5 * MINUTE, id="soon: with others that are"),
        pytest.param(9 * MINUTE, 9 * MINUTE, id="when it is due"),
        pytest.param(60 * MINUTE, 15 * MINUTE, id="late: it looks in between"),
        pytest.param(None, 15 * MINUTE, id="never"),
    ],
)
def test_how_long_a_shard_rests(due_in: timedelta | None, rest: timedelta) -> None:
    polled = DueFeedsPolled(next_due_at=None if due_in is None else NOW + due_in)

    assert rest_until(polled, TendShard(), now=NOW) == NOW + rest
