from datetime import timedelta

import pytest

from feedmill.errors import ModelUnavailableError, StoreUnavailableError
from feedmill_distillation.failures import unless_failed


def busy(seconds: int | None = None) -> ModelUnavailableError:
    wait = None if seconds is None else timedelta(seconds=seconds)
    return ModelUnavailableError("busy", retry_after=wait)


def test_results_without_a_failure_are_returned() -> None:
    assert unless_failed([1, 2]) == [1, 2]


@pytest.mark.parametrize(
    ("errors", "wait"),
    [
        ([busy(), busy(7), busy(3)], timedelta(seconds=7)),
        ([busy(0), busy()], timedelta(0)),
        ([busy(), busy()], None),
    ],
)
def test_the_models_failures_become_one_with_the_longest_wait(
    errors: list[ModelUnavailableError], wait: timedelta | None
) -> None:
    with pytest.raises(ModelUnavailableError, match="busy") as raised:
        unless_failed([1, *errors, 2])

    assert raised.value.retry_after == wait
    assert raised.value.__cause__ is errors[0]


def test_our_own_failures_come_first() -> None:
    away = StoreUnavailableError("away")

    with pytest.raises(StoreUnavailableError) as raised:
        unless_failed([busy(7), away, ValueError("a bug")])

    assert raised.value is away
    assert raised.value.__cause__ is None
