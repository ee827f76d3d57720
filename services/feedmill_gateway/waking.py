"""Waking shards when there is something for them, however much at once."""

import asyncio

from feedmill_gateway.runs import Runs

# A hub that pushes a thousand feeds at once wakes each shard a few times.
_COLLECT_SECONDS = 0.5


class Waker:
    """Wakes the shards of feeds, a moment later and each once for all that comes meanwhile."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._about_to_wake: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, feed_id: int) -> None:
        """Let the shard of a feed look soon whether there is something for it."""
        shard = self._runs.shard_of(feed_id)
        if shard in self._about_to_wake:
            return
        self._about_to_wake.add(shard)
        task = asyncio.create_task(self._wake_soon(shard), name=f"wake shard {shard}")
        # The event loop alone would forget it.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake_soon(self, shard: int) -> None:
        await asyncio.sleep(_COLLECT_SECONDS)
        # Whatever comes from now on may be too late for this one.
        self._about_to_wake.discard(shard)
        await self._runs.wake_shard(shard)
