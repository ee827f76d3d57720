import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from prometheus_client import REGISTRY
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool
from feedmill.models.hubs import HubState, HubsTended, TendHubs
from feedmill.store import Store
from feedmill.web.client import WebClient
from feedmill_ingestion.hub_keeping import HubKeeper
from feedmill_ingestion.tending import HubTender
from ingestion.conftest import PACE
from support.clock import NOON, Clock
from support.hub import Behaviour, Hub, open_hub
from support.hubs import FEED, add_announced, announce, standing, stands, subscription
from support.manners import governor_of
from support.programs import free_port

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Nobody is there: these hubs do not call back.
US = "http://127.0.0.1:9/feedmill/"


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[Hub]:
    async with open_hub() as opened:
        opened.behaviour = Behaviour(verifies=False)
        yield opened


class Keepers:
    """Processes that tend hubs, as many as a test likes."""

    def __init__(self, store: Store, web: WebClient, parsers: IsolatedPool) -> None:
        self.store = store
        self.spacing = timedelta(0)
        self._web = web
        self._parsers = parsers

    def keeper(self) -> HubKeeper:
        governor = governor_of(self.store, self.spacing)
        tender = HubTender(self.store, self._web, governor, US)
        return HubKeeper(self.store, self._parsers, PACE, tender)

    async def tend(self, request: TendHubs | None = None) -> HubsTended:
        return await ActivityEnvironment().run(self.keeper().tend_hubs, request or TendHubs())


@pytest_asyncio.fixture
async def keepers(store: Store, web_client: WebClient, parsers: IsolatedPool) -> Keepers:
    return Keepers(store, web_client, parsers)


def requests(mode: str, outcome: str) -> float:
    labels = {"mode": mode, "outcome": outcome}
    return REGISTRY.get_sample_value("feedmill_hub_requests_total", labels) or 0


async def test_a_hub_is_asked_to_call_where_nobody_guesses(keepers: Keepers, hub: Hub) -> None:
    feed_id = await add_announced(keepers.store, hub=hub.url)
    before = requests("ask", "accepted")

    tended = await keepers.tend()

    assert tended == HubsTended(asked=1)
    (asked,) = hub.asked
    found = await standing(keepers.store, feed_id)
    assert asked.form["hub.callback"] == f"http://127.0.0.1:9/feedmill/websub/{found.token}"
    assert asked.form["hub.secret"] == found.secret
    assert (asked.mode, asked.form["hub.topic"]) == ("subscribe", FEED)
    assert (found.state, found.failures) == (HubState.ASKED, 1)
    assert requests("ask", "accepted") == before + 1


async def test_a_hub_that_was_asked_is_left_alone_for_an_hour(keepers: Keepers, hub: Hub) -> None:
    clock = await Clock(keepers.store).start()
    hub.clock = clock.now
    await add_announced(keepers.store, hub=hub.url)

    for _ in range(70):
        await keepers.tend()
        await clock.advance(timedelta(minutes=5))

    moments = [asked.moment for asked in hub.asked]
    assert moments == [NOON, NOON + HOUR, NOON + 3 * HOUR]


async def test_two_workers_ask_no_hub_twice(keepers: Keepers, hub: Hub) -> None:
    for number in range(8):
        await add_announced(keepers.store, f"{FEED}/{number}", hub=hub.url)

    tended = await asyncio.gather(*(keepers.tend() for _ in range(4)))

    assert sum(each.asked for each in tended) == 8
    assert len({asked.form["hub.topic"] for asked in hub.asked}) == len(hub.asked) == 8


async def test_a_worker_that_dies_while_it_asks_leaves_the_hub_alone(
    keepers: Keepers, hub: Hub
) -> None:
    keepers.spacing = timedelta(seconds=2)
    for number in range(2):
        await add_announced(keepers.store, f"{FEED}/{number}", hub=hub.url)
    died = asyncio.ensure_future(keepers.tend())
    while not hub.asked:
        await asyncio.sleep(0.01)
    died.cancel()
    await asyncio.wait([died])

    assert await keepers.tend() == HubsTended()
    assert len(hub.asked) == 1


async def test_only_some_of_a_hub_are_asked_at_a_time(keepers: Keepers, hub: Hub) -> None:
    for number in range(13):
        await add_announced(keepers.store, f"{FEED}/{number}", hub=hub.url)

    assert await keepers.tend() == HubsTended(asked=10, left=3)
    assert await keepers.tend() == HubsTended(asked=3)


async def test_a_shard_asks_for_its_own_feeds_alone(keepers: Keepers, hub: Hub) -> None:
    ids = [await add_announced(keepers.store, f"{FEED}/{n}", hub=hub.url) for n in range(4)]

    tended = await keepers.tend(TendHubs(shard=ids[0] % 2, shards=2))

    assert tended == HubsTended(asked=2)
    assert {asked.form["hub.topic"] for asked in hub.asked} == {f"{FEED}/0", f"{FEED}/2"}


async def test_requests_to_a_hub_keep_their_distance(keepers: Keepers, hub: Hub) -> None:
    keepers.spacing = timedelta(seconds=0.2)
    for number in range(3):
        await add_announced(keepers.store, f"{FEED}/{number}", hub=hub.url)
    started = asyncio.get_running_loop().time()

    await keepers.tend()

    assert len(hub.asked) == 3
    assert asyncio.get_running_loop().time() - started > 0.39


async def test_a_hub_that_says_no_is_named_and_tried_again_later(
    keepers: Keepers, hub: Hub
) -> None:
    await Clock(keepers.store).start()
    hub.behaviour = Behaviour(status=400)
    refused = await add_announced(keepers.store, hub=hub.url)
    gone = await add_announced(keepers.store, f"{FEED}/2", hub=f"http://127.0.0.1:{free_port()}/")
    forbidden = await add_announced(keepers.store, f"{FEED}/3", hub="http://10.1.2.3/hub")
    nonsense = await add_announced(keepers.store, f"{FEED}/4", hub="javascript:alert(1)")

    assert await keepers.tend() == HubsTended(refused=4)

    details = []
    for feed_id in (refused, gone, forbidden, nonsense):
        found = await standing(keepers.store, feed_id)
        assert (found.state, found.renew_at) == (HubState.REFUSED, NOON + HOUR)
        details.append(found.detail.partition(" ")[0])
    assert details == ["http_status", "connect_failed", "address_forbidden", "url_invalid"]


async def test_a_hub_that_wants_time_gets_it(keepers: Keepers, hub: Hub) -> None:
    await Clock(keepers.store).start()
    hub.behaviour = Behaviour(status=429, headers={"Retry-After": "7200"})
    feed_id = await add_announced(keepers.store, hub=hub.url)

    await keepers.tend()
    later = await add_announced(keepers.store, f"{FEED}/2", hub=hub.url)
    tended = await keepers.tend()

    first, second = [await standing(keepers.store, each) for each in (feed_id, later)]
    assert (first.detail, first.renew_at) == ("rate_limited 429", NOON + 2 * HOUR)
    # Nobody was asked, so nothing has failed.
    assert (tended, len(hub.asked)) == (HubsTended(), 1)
    assert (second.state, second.failures, second.renew_at) == (
        HubState.ASKED,
        0,
        NOON + 2 * HOUR,
    )


async def test_a_feed_that_names_no_hub_any_more_leaves_it(keepers: Keepers, hub: Hub) -> None:
    clock = await Clock(keepers.store).start()
    feed_id = await add_announced(keepers.store, hub=hub.url)
    promise = {"state": HubState.ACTIVE, "promised_until": NOON + 9 * DAY}
    await stands(keepers.store, [feed_id], **promise, asked_at=NOON - DAY, renew_at=NOON + DAY)
    await announce(keepers.store, feed_id, None, None)

    await keepers.tend()

    found = await standing(keepers.store, feed_id)
    assert (found.state, [asked.mode for asked in hub.asked]) == (HubState.LEAVING, ["unsubscribe"])
    await clock.advance(HOUR)
    await keepers.tend()
    assert await subscription(keepers.store, feed_id) is None
    assert len(hub.asked) == 1


async def test_a_feed_that_names_another_hub_leaves_the_old_one_for_it(
    keepers: Keepers, hub: Hub
) -> None:
    async with open_hub() as other:
        await Clock(keepers.store).start()
        other.behaviour = Behaviour(verifies=False)
        hub.behaviour = Behaviour(status=500)
        feed_id = await add_announced(keepers.store, hub=hub.url)
        promise = {"state": HubState.ACTIVE, "promised_until": NOON + 9 * DAY}
        await stands(keepers.store, [feed_id], **promise, asked_at=NOON - DAY, renew_at=NOON + DAY)
        before = await standing(keepers.store, feed_id)
        await announce(keepers.store, feed_id, other.url, FEED)

        left = await keepers.tend()
        taken = await keepers.tend()

        assert (left, taken) == (HubsTended(refused=1, left=1), HubsTended(asked=1))
        found = await standing(keepers.store, feed_id)
        assert (found.hub_url, found.state) == (other.url, HubState.ASKED)
        assert found.token not in {before.token, before.secret}
        assert [asked.mode for asked in [*hub.asked, *other.asked]] == ["unsubscribe", "subscribe"]


async def test_without_an_address_of_ours_no_hub_is_asked(
    store: Store, parsers: IsolatedPool, hub: Hub
) -> None:
    await add_announced(store, hub=hub.url)
    keeper = HubKeeper(store, parsers, PACE, None)

    assert await ActivityEnvironment().run(keeper.tend_hubs, TendHubs()) == HubsTended()
    assert hub.asked == []
