"""Telling shards that hubs have sent something for their feeds, however much at once."""

import asyncio

from feedmill_gateway.runs import Runs

# A hub that pushes a thousand feeds at once is told of a few times.
_COLLECT_SECONDS = 0.5


class Postman:
    """Tells the shards of feeds, a moment later and each once for all that comes meanwhile."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._collecting: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, feed_id: int) -> None:
        """Let a feed's shard take soon what hubs have sent."""
        shard = self._runs.shard_of(feed_id)
        if shard in self._collecting:
            return
        self._collecting.add(shard)
        task = asyncio.create_task(self._tell_soon(shard), name=f"tell shard {shard}")
        # The event loop alone would forget it.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_soon(self, shard: int) -> None:
        await asyncio.sleep(_COLLECT_SECONDS)
        # Whatever comes from now on may be too late for this one.
        self._collecting.discard(shard)
        await self._runs.tell_of_pushes(shard)
