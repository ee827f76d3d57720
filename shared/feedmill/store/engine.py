"""The connection pool, and the transaction in which everything is read and written."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

from sqlalchemy import exc, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from feedmill.config import StoreSettings
from feedmill.errors import StoreUnavailableError
from feedmill.store import clock
from feedmill.store.categories import CategoryStore
from feedmill.store.contents import ContentStore
from feedmill.store.distillates import DistillateStore
from feedmill.store.drafts import DraftStore
from feedmill.store.endpoints import EndpointStore
from feedmill.store.entries import EntryStore
from feedmill.store.events import EventStore
from feedmill.store.feeds import FeedStore
from feedmill.store.figures import FigureStore
from feedmill.store.hosts import HostStore
from feedmill.store.imports import ImportStore
from feedmill.store.lists import ListStore
from feedmill.store.pages import PageStore
from feedmill.store.pushes import PushStore
from feedmill.store.reader import ReaderStore
from feedmill.store.recipes import RecipeStore
from feedmill.store.redriving import RedrivingStore
from feedmill.store.resting import ask_the_rested
from feedmill.store.robots import RobotsStore
from feedmill.store.schema import check_schema
from feedmill.store.spend import SpendStore
from feedmill.store.stories import StoryStore
from feedmill.store.subscribing import SubscribingStore
from feedmill.store.till import TillStore
from feedmill.store.upkeep import UpkeepStore
from feedmill.store.urls import psycopg_url
from feedmill.store.users import UserStore
from feedmill.store.websub import WebSubStore

# Long enough to sit out a burst, short enough that a worker notices and its activity is retried.
_POOL_SECONDS = 10
_CONNECT_SECONDS = 5


class Transaction:
    """Everything one transaction can read and write. Commits when left, rolls back on an error."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.hosts = HostStore(connection)
        self.feeds = FeedStore(connection)
        self.websub = WebSubStore(connection)
        self.pushes = PushStore(connection)
        self.entries = EntryStore(connection)
        self.contents = ContentStore(connection)
        self.pages = PageStore(connection)
        self.distillates = DistillateStore(connection)
        self.recipes = RecipeStore(connection)
        self.drafts = DraftStore(connection)
        self.endpoints = EndpointStore(connection)
        self.till = TillStore(connection)
        self.spend = SpendStore(connection)
        self.stories = StoryStore(connection)
        self.lists = ListStore(connection)
        self.imports = ImportStore(connection)
        self.categories = CategoryStore(connection)
        self.upkeep = UpkeepStore(connection)
        self.subscribing = SubscribingStore(connection)
        self.robots = RobotsStore(connection)
        self.users = UserStore(connection)
        self.events = EventStore(connection)
        self.redriving = RedrivingStore(connection, self.events)
        self.reader = ReaderStore(connection)
        self.figures = FigureStore(connection)

    async def now(self) -> datetime:
        """Return Postgres's clock, which is everybody's."""
        now: datetime = (await self.connection.execute(select(clock.now()))).scalar_one()
        return now


class Store:
    """Postgres, as the fleet sees it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._at_once = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction; what it did becomes visible all at once or not at all.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer, or went away before the commit.
        """
        with _answering():
            async with self._engine.begin() as connection:
                transaction = Transaction(connection)
                yield transaction
                await transaction.events.flush()

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """Open a connection for one statement, which is committed as soon as it is done.

        Postgres is asked once where a transaction asks three times. Nothing holds a second
        statement together with the first, and no event can be appended.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. What was asked of it may have been done.
        """
        with _answering():
            async with self._at_once.connect() as connection:
                yield Transaction(connection)

    async def check(self) -> None:
        """Return when Postgres answers and its schema is the one this release knows.

        Raises
        ------
        StoreUnavailableError
            It does not answer, or its schema is older.
        """
        async with self.transaction() as tx:
            await tx.connection.execute(text("select 1"))
            await check_schema(tx.connection)


@asynccontextmanager
async def open_store(settings: StoreSettings) -> AsyncIterator[Store]:
    """Open the connection pool. Nothing is connected before the first transaction."""
    engine = create_async_engine(
        psycopg_url(settings.database_url.get_secret_value()),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "feedmill"},
    )
    ask_the_rested(engine)
    try:
        yield Store(engine)
    finally:
        await engine.dispose()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        raise StoreUnavailableError(f"Postgres did not answer: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
