"""Steps that are undone, last one first, when a later one fails."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

S = TypeVar("S")

Undo = Callable[[], Awaitable[bool]]


class Saga(Generic[S]):
    """Remembers how to undo what was begun.

    A step is remembered before it is taken: one that timed out may have been done all the same.

    Attributes
    ----------
    undone
        The steps that were undone so far, and had left something behind.
    """

    def __init__(self) -> None:
        self._undos: list[tuple[S, Undo]] = []
        self.undone: tuple[S, ...] = ()

    def about_to(self, step: S, undo: Undo) -> None:
        """Remember how to undo a step; `undo` returns whether there was something to undo."""
        self._undos.append((step, undo))

    async def undo(self) -> None:
        """Undo everything, whoever cancels us meanwhile."""
        undoing = _begin(self._undo_all())
        while not undoing.done():
            try:
                await asyncio.shield(undoing)
            except asyncio.CancelledError:
                workflow.logger.info("cancelled while undoing: going on")

    async def _undo_all(self) -> None:
        while self._undos:
            step, undo = self._undos.pop()
            try:
                changed = await undo()
            except ActivityError as error:
                # The others are undone all the same.
                workflow.logger.error("step not undone", extra={"step": step, "error": str(error)})
                continue
            if changed:
                self.undone = (*self.undone, step)


def _begin(undoing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    try:
        return asyncio.create_task(undoing)
    except BaseException:
        # The run is no failure: it leaves a worker's memory, where nothing begins any more.
        undoing.close()
        raise
