"""All parts of the fleet: begun in the order of what they need, ended in the reverse."""

import asyncio
from collections.abc import Callable, Sequence

from feedmill_cli.stack.ending import Ending
from feedmill_cli.stack.keeper import Keeper
from feedmill_cli.stack.state import PartStatus

_USABLE = (PartStatus.READY, PartStatus.DONE)


class Fleet:
    def __init__(self, keepers: Sequence[Keeper]) -> None:
        self._keepers = {keeper.part.name: keeper for keeper in keepers}
        self._gone = {name: asyncio.Event() for name in self._keepers}

    def is_ready(self) -> bool:
        """Whether every part can be used now."""
        return all(keeper.state.state in _USABLE for keeper in self._keepers.values())

    async def run(self, ending: Ending, announce: Callable[[], None]) -> None:
        """Keep all parts running until `ending` begins, then end them all.

        `announce` is called once, when every part has been usable.
        """
        async with asyncio.TaskGroup() as group:
            for keeper in self._keepers.values():
                group.create_task(self._keep(keeper, ending))
            announcing = group.create_task(self._announce(announce))
            await ending.begun.wait()
            announcing.cancel()

    async def _keep(self, keeper: Keeper, ending: Ending) -> None:
        stop = asyncio.Event()
        stopping = asyncio.create_task(self._stop_after_dependents(keeper, ending, stop))
        try:
            if await self._needs_are_met(keeper, ending):
                await keeper.keep(stop, ending.hurried)
            else:
                keeper.leave()
        finally:
            stopping.cancel()
            self._gone[keeper.part.name].set()

    async def _needs_are_met(self, keeper: Keeper, ending: Ending) -> bool:
        met = asyncio.create_task(self._all_usable(keeper.part.needs))
        ended = asyncio.create_task(ending.begun.wait())
        try:
            await asyncio.wait({met, ended}, return_when=asyncio.FIRST_COMPLETED)
            return not ended.done()
        finally:
            met.cancel()
            ended.cancel()

    async def _stop_after_dependents(
        self, keeper: Keeper, ending: Ending, stop: asyncio.Event
    ) -> None:
        await ending.begun.wait()
        for other in self._keepers.values():
            if keeper.part.name in other.part.needs:
                await self._gone[other.part.name].wait()
        stop.set()

    async def _announce(self, announce: Callable[[], None]) -> None:
        await self._all_usable(tuple(self._keepers))
        announce()

    async def _all_usable(self, names: Sequence[str]) -> None:
        for name in names:
            await self._keepers[name].usable.wait()
