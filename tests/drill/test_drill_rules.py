import pytest

from drill.plan import PARTS, plan_kills
from drill.tally import Tally, repeats, too_soon


def test_the_same_seed_makes_the_same_plan() -> None:
    plans = [plan_kills(seed, 3, kills=10, seconds=30) for seed in (1, 1, 2)]

    assert plans[0] == plans[1] != plans[2]


@pytest.mark.parametrize("journey", range(5))
def test_every_part_is_killed_in_every_journey_and_in_order(journey: int) -> None:
    plan = plan_kills(1, journey, kills=10, seconds=30)

    assert len(plan) == 10
    assert {kill.part for kill in plan} == set(PARTS)
    assert plan == sorted(plan)
    assert all(0 <= kill.after_seconds <= 30 for kill in plan)


def test_repeats_are_counted_beyond_the_first() -> None:
    assert repeats(["a", "b", "a", "a", "c", "b"]) == 3


@pytest.mark.parametrize(
    ("moments", "early"),
    [
        ([], 0),
        ([5.0], 0),
        ([0.0, 0.2, 0.4], 0),
        ([0.0, 0.17, 0.4], 0),
        ([0.0, 0.1, 0.4], 1),
        # Each is a little early; together they are too many.
        ([0.0, 0.17, 0.34, 0.51, 0.68], 3),
    ],
)
def test_whoever_comes_before_the_spacing_is_early(moments: list[float], early: int) -> None:
    assert too_soon({"a": moments, "b": [0.0]}, 0.2) == early


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"repeated_pages": 9}, True),
        ({"repeated_calls": 4, "calls_in_flight": 4}, True),
        ({"repeated_calls": 5, "calls_in_flight": 4}, False),
        ({"lost": 1}, False),
        ({"too_soon": 1}, False),
    ],
)
def test_nothing_lost_nothing_too_soon_nothing_paid_twice(
    changes: dict[str, int], passed: bool
) -> None:
    tally = Tally(**{"journeys": 1, **changes})

    assert tally.passed is passed
    assert tally.line(1, 60).startswith("drill passed" if passed else "drill FAILED")
