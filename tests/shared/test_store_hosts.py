import asyncio
from datetime import timedelta

from feedmill.store import Store
from feedmill.store.hosts import Slot, SlotTooFar

SECOND = timedelta(seconds=1)


async def reserve(
    store: Store, host: str, *, patience: timedelta = 10 * SECOND
) -> Slot | SlotTooFar:
    async with store.transaction() as tx:
        return await tx.hosts.reserve(host, spacing=SECOND, patience=patience)


async def test_the_first_request_to_a_host_starts_at_once(store: Store) -> None:
    assert await reserve(store, "a.example") == Slot(wait=timedelta(0))


async def test_many_at_once_get_slots_a_spacing_apart(store: Store) -> None:
    slots = await asyncio.gather(*(reserve(store, "a.example") for _ in range(5)))

    waits = sorted(slot.wait for slot in slots if isinstance(slot, Slot))
    for position, wait in enumerate(waits):
        # The clock runs on between the five, so each wait is a little less than its place says.
        assert position * SECOND - SECOND < wait <= position * SECOND


async def test_a_slot_too_far_is_not_taken(store: Store) -> None:
    for _ in range(3):
        await reserve(store, "a.example")

    refused = [await reserve(store, "a.example", patience=SECOND) for _ in range(2)]

    assert all(isinstance(answer, SlotTooFar) for answer in refused)
    assert refused[0] == refused[1]


async def test_one_host_never_delays_another(store: Store) -> None:
    for _ in range(5):
        await reserve(store, "busy.example")

    assert await reserve(store, "quiet.example") == Slot(wait=timedelta(0))


async def test_a_hold_is_a_floor(store: Store) -> None:
    async with store.transaction() as tx:
        until = await tx.hosts.hold("a.example", timedelta(minutes=5))

    assert await reserve(store, "a.example") == SlotTooFar(until=until)


async def test_a_shorter_hold_never_shortens_a_longer_one(store: Store) -> None:
    async with store.transaction() as tx:
        long = await tx.hosts.hold("a.example", timedelta(minutes=5))
        short = await tx.hosts.hold("a.example", timedelta(minutes=1))

    assert short == long
