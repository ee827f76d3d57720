"""What a slice does with the failures among its results. Pure."""

from collections.abc import Sequence
from typing import TypeVar

from feedmill.errors import ModelUnavailableError

R = TypeVar("R")


def unless_failed(results: Sequence[R | BaseException]) -> list[R]:
    """Return the results when none is a failure.

    Raises
    ------
    BaseException
        The first failure that is not the model's: the database away, a bug.
    ModelUnavailableError
        The model's failures as one, with the longest time that any of them asked for.
    """
    failures = [result for result in results if isinstance(result, BaseException)]
    unavailable = [error for error in failures if isinstance(error, ModelUnavailableError)]
    for error in failures:
        if error not in unavailable:
            raise error
    if unavailable:
        waits = [error.retry_after for error in unavailable if error.retry_after is not None]
        raise ModelUnavailableError(
            str(unavailable[0]), retry_after=max(waits, default=None)
        ) from unavailable[0]
    return [result for result in results if not isinstance(result, BaseException)]
