"""A pool in which chosen bodies meet a parser that misbehaves, in a process of its own."""

from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from feedmill.isolation import IsolatedPool

P = ParamSpec("P")
R = TypeVar("R")


class SabotagedPool(IsolatedPool):
    """Runs what it is asked to, unless the first argument is a body with a function of its own."""

    def __init__(self, pool: IsolatedPool, misbehaviour: Mapping[bytes, Callable[[], R]]) -> None:
        self._real = pool
        self._misbehaviour = misbehaviour

    async def run(
        self, seconds: float, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        if args and args[0] in self._misbehaviour:
            return await self._real.run(0.3, self._misbehaviour[args[0]])
        return await self._real.run(seconds, function, *args, **kwargs)
