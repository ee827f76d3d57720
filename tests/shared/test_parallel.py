import asyncio

import pytest

from feedmill.errors import StoreUnavailableError
from feedmill.worker import in_parallel


async def test_answers_come_in_order_however_long_each_took() -> None:
    async def work(item: int) -> int:
        await asyncio.sleep(0.03 / item)
        return item * 10

    assert await in_parallel(work, [1, 2, 3], at_once=3) == [10, 20, 30]


async def test_only_so_many_work_at_once() -> None:
    working, most = 0, 0

    async def work(_: int) -> None:
        nonlocal working, most
        working += 1
        most = max(most, working)
        await asyncio.sleep(0.005)
        working -= 1

    await in_parallel(work, range(10), at_once=3)

    assert most == 3


async def test_an_item_that_fails_does_not_take_its_neighbours_along() -> None:
    done: list[int] = []

    async def work(item: int) -> None:
        if item == 0:
            raise StoreUnavailableError("away")
        await asyncio.sleep(0.005)
        done.append(item)

    with pytest.raises(StoreUnavailableError):
        await in_parallel(work, range(5), at_once=2)

    assert done == [1, 2, 3, 4]


async def test_who_gives_up_waiting_ends_the_work() -> None:
    ended: list[int] = []

    async def work(item: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(item)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await in_parallel(work, range(2), at_once=2)
    await asyncio.sleep(0)

    assert sorted(ended) == [0, 1]
