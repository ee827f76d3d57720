import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future

import pytest
import pytest_asyncio

from feedmill import isolation
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


@pytest.mark.parametrize("function", [misbehaviour.hang, misbehaviour.die])
async def test_misbehaviour_costs_its_neighbours_nothing(
    pool: IsolatedPool, function: Callable[[], object]
) -> None:
    calls = [pool.run(1, misbehaviour.double, number) for number in range(20)]

    answers = await asyncio.gather(
        *calls[:10], pool.run(1, function), *calls[10:], return_exceptions=True
    )
    culprit = answers.pop(10)

    assert answers == [2 * number for number in range(20)]
    assert isinstance(culprit, IsolationError)


async def test_a_call_that_nobody_waits_for_any_more_takes_nobody_with_it(
    pool: IsolatedPool,
) -> None:
    calls = [asyncio.create_task(pool.run(5, misbehaviour.double, n)) for n in range(20)]
    await asyncio.sleep(0)
    calls[5].cancel()

    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [a for a in answers if isinstance(a, int)] == [2 * n for n in range(20) if n != 5]


async def test_no_call_waits_for_a_sending_that_ends(pool: IsolatedPool) -> None:
    async def one_by_one(times: int) -> int:
        for number in range(times):
            await pool.run(5, misbehaviour.double, number)
        return times

    async with asyncio.timeout(30):
        assert await asyncio.gather(*(one_by_one(100) for _ in range(5))) == [100] * 5


async def test_what_comes_at_once_is_shared_out_among_the_processes() -> None:
    async with open_pool(2) as pool:
        # Both are there before the work is.
        await asyncio.gather(*(pool.run(30, misbehaviour.doze, 0.5) for _ in range(2)))
        ids = await asyncio.gather(*(pool.run(30, misbehaviour.doze, 0.1) for _ in range(8)))

    assert Counter(ids).most_common(1)[0][1] <= 6


@pytest.mark.parametrize("many", ["x" * 150_000, b"x" * 150_000])
async def test_large_calls_are_sent_alone(pool: IsolatedPool, many: str | bytes) -> None:
    sent: list[int] = []
    schedule = pool._pool.schedule

    def watching(function: object, *, args: list[list[object]], timeout: float) -> object:
        sent.append(len(args[0]))
        return schedule(function, args=args, timeout=timeout)

    pool._pool.schedule = watching
    try:
        await asyncio.gather(*(pool.run(30, misbehaviour.length, thing=many) for _ in range(4)))
        await asyncio.gather(*(pool.run(30, misbehaviour.double, 1) for _ in range(4)))
    finally:
        del pool._pool.schedule

    assert sent[:4] == [1] * 4
    assert max(sent) > 1


async def test_a_call_that_the_pool_loses_does_not_wait_for_ever(
    pool: IsolatedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "_LOST_SECONDS", 0.1)
    monkeypatch.setattr(pool._pool, "schedule", lambda *_, **__: Future())

    with pytest.raises(IsolationError):
        await pool.run(0.1, misbehaviour.double, 21)

    monkeypatch.undo()
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
