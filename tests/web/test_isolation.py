import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from feedmill.isolation import IsolatedPool, IsolationError, open_pool
from support import misbehaviour


@pytest_asyncio.fixture(scope="module")
async def pool() -> AsyncIterator[IsolatedPool]:
    async with open_pool(1) as opened:
        yield opened


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (misbehaviour.hang, "took longer than 0.3 s"),
        (misbehaviour.die, "ended its process with code 139"),
        (misbehaviour.eat_memory, "MemoryError: "),
        (misbehaviour.overflow, "RecursionError: maximum recursion depth exceeded"),
        (misbehaviour.raise_unpicklable, "OddError: odd"),
    ],
)
async def test_misbehaviour_costs_one_call(
    pool: IsolatedPool, function: Callable[[], object], message: str
) -> None:
    with pytest.raises(IsolationError) as caught:
        await pool.run(0.3, function)

    assert str(caught.value) == message
    assert await pool.run(30, misbehaviour.double, 21) == 42


async def test_work_runs_elsewhere(pool: IsolatedPool) -> None:
    assert await pool.run(30, misbehaviour.process_id) != os.getpid()


async def test_waiting_in_line_is_not_counted(pool: IsolatedPool) -> None:
    answers = await asyncio.gather(
        *(pool.run(5, misbehaviour.double, number) for number in range(20))
    )

    assert answers == [2 * number for number in range(20)]


async def test_a_pool_whose_idle_process_was_killed_goes_on(pool: IsolatedPool) -> None:
    os.kill(await pool.run(30, misbehaviour.process_id), signal.SIGKILL)
    await asyncio.sleep(0.5)

    assert await pool.run(30, misbehaviour.double, 21) == 42


async def test_a_pool_that_was_never_used_ends() -> None:
    async with asyncio.timeout(5), open_pool(1):
        pass
