from datetime import timedelta

import pytest

from feedmill_distillation.pacing import hold_after_answer, hold_after_refusal

SECOND = timedelta(seconds=1)


def left(what: str, remaining: str, reset: str, limit: str | None = None) -> dict[str, str]:
    headers = {
        f"x-ratelimit-remaining-{what}": remaining,
        f"x-ratelimit-reset-{what}": reset,
    }
    return headers | ({f"x-ratelimit-limit-{what}": limit} if limit else {})


@pytest.mark.parametrize(
    ("headers", "hold"),
    [
        pytest.param({}, None, id="says nothing"),
        pytest.param(left("requests", "5", "1s"), None, id="requests left"),
        pytest.param(left("tokens", "1000", "1s"), None, id="just enough tokens left"),
        pytest.param(left("requests", "0", "7s"), 7 * SECOND, id="no request left"),
        pytest.param(left("requests", "0", "6m0s"), 360 * SECOND, id="minutes and seconds"),
        pytest.param(left("requests", "0", "250ms"), SECOND / 4, id="milliseconds"),
        pytest.param(left("requests", "0", "1m0.5s"), 60.5 * SECOND, id="fractions"),
        pytest.param(left("requests", "0", "12"), 12 * SECOND, id="bare seconds"),
        pytest.param(left("requests", "0", "60s", "60"), SECOND, id="one of sixty comes back"),
        pytest.param(left("tokens", "400", "10s"), 10 * SECOND, id="too few tokens"),
        pytest.param(left("tokens", "500", "10s", "1500"), 5 * SECOND, id="half of them back"),
        pytest.param(
            left("requests", "0", "2s") | left("tokens", "0", "5s"), 5 * SECOND, id="the longer"
        ),
        pytest.param(left("requests", "0", "tomorrow"), None, id="nonsense"),
        pytest.param(left("requests", "-1", "5s"), None, id="negative"),
        pytest.param(left("requests", "0", ""), None, id="no time"),
        pytest.param(left("requests", "0", "9999999999s"), timedelta(days=1), id="for ever"),
        pytest.param(left("requests", "0", "9" * 500), None, id="too long to read"),
        pytest.param(left("tokens", "0", "10s", "0"), 10 * SECOND, id="a limit of nothing"),
    ],
)
def test_what_is_left_says_how_long_to_wait(
    headers: dict[str, str], hold: timedelta | None
) -> None:
    assert hold_after_answer(headers, 1_000) == hold


@pytest.mark.parametrize(
    ("strikes", "seconds"), [(0, 1), (1, 2), (3, 8), (5, 32), (6, 60), (10_000, 60)]
)
def test_a_refusal_that_says_nothing_is_heeded_longer_each_time(strikes: int, seconds: int) -> None:
    assert hold_after_refusal({}, 1_000, strikes) == seconds * SECOND


def test_a_refusal_that_says_when_is_taken_at_its_word() -> None:
    assert hold_after_refusal(left("requests", "0", "20s"), 1_000, 3) == 20 * SECOND
