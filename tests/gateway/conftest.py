import itertools
from collections.abc import AsyncIterator
from ipaddress import ip_network

import psycopg
import pytest_asyncio
from aiohttp import ClientSession
from pydantic import SecretStr
from sqlalchemy import text
from temporalio.client import Client

from feedmill.config import StoreSettings
from feedmill.contracts.queues import TaskQueue
from feedmill.store import Store, open_store
from feedmill.worker.run import build_worker
from feedmill_orchestrator.importing import Importer
from feedmill_orchestrator.subscribing import Subscriber
from feedmill_orchestrator.workflows.import_subscriptions import ImportSubscriptionsWorkflow
from feedmill_orchestrator.workflows.subscribe_feed import SubscribeFeedWorkflow
from support.library import Library, open_library
from support.live_gateway import TOKEN, RunningGateway, browser, client, running_gateway
from support.scripted_run import ScriptedRun

# Every test has a database of its own, and all share one Temporal: ids must not meet there.
_FIRST_IDS = itertools.count(1_000, 1_000)


@pytest_asyncio.fixture
async def library(store: Store) -> Library:
    async with store.transaction() as tx:
        first = next(_FIRST_IDS)
        await tx.connection.execute(text(f"alter table feeds alter id restart with {first}"))
    return await open_library(store)


@pytest_asyncio.fixture
async def gateway(
    store: Store, library: Library, temporal: Client, database_url: str
) -> AsyncIterator[RunningGateway]:
    async with running_gateway(store, temporal, database_url) as running:
        yield running


@pytest_asyncio.fixture
async def api(gateway: RunningGateway) -> AsyncIterator[ClientSession]:
    """A client that sends the owner's token."""
    async with client(gateway.url) as session:
        yield session


@pytest_asyncio.fixture
async def web(gateway: RunningGateway) -> AsyncIterator[ClientSession]:
    """A browser that nobody has signed in."""
    async with browser(gateway.url) as session:
        yield session


@pytest_asyncio.fixture
async def reader(web: ClientSession) -> ClientSession:
    """A browser that is signed in."""
    await web.get("/", params={"token": TOKEN})
    return web


@pytest_asyncio.fixture(scope="session")
async def idle_gateway(
    postgres_url: str, migrated_template: str, temporal_server: Client
) -> AsyncIterator[RunningGateway]:
    """A gateway with nothing in it, for all tests that only ask."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"create database idle template {migrated_template}")
    database_url = f"{postgres_url.rsplit('/', 1)[0]}/idle"
    settings = StoreSettings(database_url=SecretStr(database_url), database_pool_size=2)
    async with open_store(settings) as store:
        await open_library(store)
        async with running_gateway(store, temporal_server, database_url) as running:
            yield running


@pytest_asyncio.fixture
async def idle_api(idle_gateway: RunningGateway) -> AsyncIterator[ClientSession]:
    async with client(idle_gateway.url) as session:
        yield session


@pytest_asyncio.fixture
async def idle_web(idle_gateway: RunningGateway) -> AsyncIterator[ClientSession]:
    async with browser(idle_gateway.url) as session:
        yield session


@pytest_asyncio.fixture
async def orchestrator(temporal: Client, store: Store) -> AsyncIterator[Client]:
    """Feeds are followed in earnest; the runs that read them stand still until a test moves them."""
    subscriber = Subscriber(store, [ip_network("127.0.0.0/8")])
    async with build_worker(
        temporal,
        TaskQueue.ORCHESTRATION,
        workflows=[ScriptedRun, SubscribeFeedWorkflow, ImportSubscriptionsWorkflow],
        activities=[
            subscriber.validate_feed,
            subscriber.add_feed,
            subscriber.follow_feed,
            subscriber.undo_follow,
            subscriber.undo_add_feed,
            Importer(store).follow_listed,
        ],
    ):
        yield temporal
