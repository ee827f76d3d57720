"""An event loop that does nothing: how late it wakes up is the machine's doing, and nobody else's.

Prints a line when it begins to look, and its figures as JSON once it is given one.
"""

import asyncio
import json
import sys

import uvloop

from measuring import watched_loop


async def main() -> None:
    async with watched_loop() as lag:
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(json.dumps({"most_ms": 1_000 * lag.most(), "p99_ms": 1_000 * lag.percentile(0.99)}))


if __name__ == "__main__":
    uvloop.run(main())
