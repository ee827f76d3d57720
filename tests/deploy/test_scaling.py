"""The scalers that the chart renders decide as we mean them to."""

from itertools import pairwise

import pytest

from lab.chart import one, render
from lab.scaling import Limits, Scaler, limits_of
from support.charts import value_sets

LIMITS = Limits(
    task_queue="fetch",
    queue_types=("activity",),
    least=0,
    most=10,
    target=5,
    activation=2,
    every_seconds=15,
    cooldown_seconds=60,
    window_seconds=60,
    down_percent=50,
    down_seconds=30,
)


def decided(backlogs: list[int], limits: Limits = LIMITS) -> list[int]:
    scaler, pods, found = Scaler(limits), 0, []
    for step, backlog in enumerate(backlogs):
        pods = scaler.decide(step * limits.every_seconds, pods, backlog)
        found.append(pods)
    return found


def test_a_pool_sleeps_while_too_little_waits() -> None:
    assert decided([0, 1, 2, 2]) == [0, 0, 0, 0]


def test_a_pool_wakes_with_one_pod_and_then_follows_its_backlog() -> None:
    assert decided([3, 40, 40]) == [1, 5, 8]


def test_a_pool_has_no_more_pods_than_it_may() -> None:
    assert decided([500] * 6)[-1] == 10


def test_a_pool_sleeps_again_when_nothing_has_waited_for_long_enough() -> None:
    found = decided([30, 30, 30, 0, 0, 0, 0, 0, 0])

    assert found[2] == 6
    assert found[3] == 6
    assert found[-1] == 0


def test_a_small_difference_changes_nothing() -> None:
    assert decided([3, 20, 20, 21])[-1] == 4


def test_pods_go_as_slowly_as_the_policy_says() -> None:
    always_busy = [40] * 4 + [3] * 10

    found = decided(always_busy)

    assert found[3] == 8
    assert found[-1] == 1
    assert all(after >= before // 2 for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("pool", "least", "most", "target"),
    [
        ("ingestion", 1, 4, 20),
        ("fetch", 0, 20, 20),
        ("fetch-browser", 0, 3, 2),
        ("distillation", 0, 10, 4),
        ("orchestrator", 1, 4, 20),
    ],
)
def test_each_pool_has_a_scaler_of_its_own(pool: str, least: int, most: int, target: int) -> None:
    limits = limits_of(one(render(value_sets()["keda"]), "ScaledObject", pool))

    assert limits.task_queue == ("orchestration" if pool == "orchestrator" else pool)
    assert limits.queue_types == (("workflow",) if pool == "orchestrator" else ("activity",))
    assert (limits.least, limits.most, limits.target) == (least, most, target)
    # What is ended early is done again.
    assert limits.window_seconds >= 60
