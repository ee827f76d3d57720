import pytest

from farm_record import Manners, Record

HOST = "127.1.1.1"
MANNERS = Manners(spacing_seconds=1, in_flight=2, tolerance_seconds=0.1, reaction_seconds=0.2)


def recorded(*requests: tuple[float, float], status: str = "200", wait: float = 0) -> Record:
    """Let feeds of one host be asked one after another: when each arrives, when it is answered."""
    record = Record()
    record.begin_pass(MANNERS)
    moments = [(at, 1, feed) for feed, (at, _) in enumerate(requests)]
    moments += [(at, 0, feed) for feed, (_, at) in enumerate(requests)]
    for at, is_arrival, feed in sorted(moments):
        if is_arrival:
            record.arrived(HOST, feed, at, conditional=False)
        else:
            record.answered(HOST, feed, at, status, wait_seconds=wait)
    return record


def at_once(*times: float) -> Record:
    return recorded(*((at, at + 0.001) for at in times))


@pytest.mark.parametrize(
    ("times", "violations"),
    [
        pytest.param((0, 1, 2, 3), 0, id="in step"),
        pytest.param((0, 0.95, 2, 2.95), 0, id="a little early now and then"),
        pytest.param((0, 0.8), 1, id="early"),
        pytest.param((0, 0.95, 1.85), 1, id="a little earlier each time"),
        pytest.param((0, 10, 10.5), 1, id="a pause earns no burst"),
        pytest.param((0, 0.01, 0.02), 2, id="a burst"),
    ],
)
def test_requests_sooner_than_the_spacing(times: tuple[float, ...], violations: int) -> None:
    assert at_once(*times).violations["sooner than the spacing"] == violations


def test_being_early_is_measured() -> None:
    assert at_once(0, 0.95).earliest_seconds == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("requests", "violations"),
    [
        pytest.param([(0, 5), (1, 5)], 0, id="two"),
        pytest.param([(0, 5), (1, 5), (2, 5)], 1, id="three"),
        pytest.param([(0, 1.5), (1, 5), (2, 5)], 0, id="three, but the first was answered"),
    ],
)
def test_requests_in_flight(requests: list[tuple[float, float]], violations: int) -> None:
    assert recorded(*requests).violations["too many at once"] == violations


@pytest.mark.parametrize(
    ("at", "violations"),
    [
        pytest.param(1.1, 0, id="was on its way"),
        pytest.param(3, 1, id="in the middle of it"),
        pytest.param(5.95, 0, id="as good as over"),
        pytest.param(7, 0, id="after it"),
    ],
)
def test_requests_before_retry_after(at: float, violations: int) -> None:
    record = recorded((0, 1), status="429", wait=5)

    record.arrived(HOST, 1, at, conditional=False)

    assert record.violations["before Retry-After"] == violations


def test_other_hosts_are_not_meant() -> None:
    record = recorded((0, 1), status="429", wait=5)

    record.arrived("127.1.1.2", 1, 1.5, conditional=False)

    assert not record.violations


def test_a_feed_that_gave_validators_is_asked_with_them_ever_after() -> None:
    record = at_once(0)

    record.begin_pass(MANNERS)
    record.arrived(HOST, 0, 10, conditional=True)
    record.answered(HOST, 0, 10, "304")
    record.begin_pass(MANNERS)
    record.arrived(HOST, 0, 20, conditional=False)

    assert record.violations == {"unconditional again": 1}


def test_a_feed_that_gave_nothing_may_be_asked_unconditionally() -> None:
    record = recorded((0, 1), status="404")

    record.begin_pass(MANNERS)
    record.arrived(HOST, 0, 10, conditional=False)

    assert not record.violations


def test_a_pass_asks_a_feed_once() -> None:
    record = at_once(0)

    record.arrived(HOST, 0, 5, conditional=True)

    assert record.violations == {"asked twice in a pass": 1}


def test_who_was_told_to_wait_may_come_again() -> None:
    record = recorded((0, 1), status="429", wait=5)

    record.arrived(HOST, 0, 7, conditional=False)

    assert not record.violations


def test_a_new_pass_counts_from_nothing() -> None:
    record = at_once(0, 0.1)

    record.begin_pass(MANNERS)

    assert (record.requests, dict(record.violations), dict(record.statuses)) == (0, {}, {})


def test_how_soon_a_share_of_the_feeds_was_asked() -> None:
    record = at_once(5, 6, 7, 9)

    assert [record.seconds_until(feeds) for feeds in (1, 3, 4, 5)] == [0, 2, 4, None]
