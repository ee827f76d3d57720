"""What a browser receives while it stays connected: server-sent events that resume.

Every stream is a generator of messages; None is a turn without news.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from feedmill.errors import FeedmillError, StoreUnavailableError
from feedmill.models.events import Event, RunRef
from feedmill.models.reader import RunFinished
from feedmill.models.runs import IngestionProgress
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill_gateway.listener import Bell
from feedmill_gateway.runs import Runs

_KEEP_ALIVE_SECONDS = 15.0
# How soon events are found that nobody told us of.
_SLOW_POLL_SECONDS = 5.0
_PROGRESS_SECONDS = 0.5
_PAGE = 200

# Browsers wait some seconds otherwise.
_RECONNECT = format_sse_event(retry=1_000)

Messages = AsyncGenerator[bytes | None]


class EventStream(StreamingResponse):
    """A stream of messages, kept alive, and closed as soon as the client or the process leaves."""

    media_type = "text/event-stream"

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        # A proxy that collects an answer before it passes it on would defeat the purpose.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(kept_alive(messages), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._messages):
            await super().__call__(scope, receive, send)


async def kept_alive(
    messages: Messages, *, quiet_seconds: float = _KEEP_ALIVE_SECONDS
) -> AsyncIterator[bytes]:
    """Put a comment where nothing was sent for a while."""
    sent_at = time.monotonic()
    async for message in messages:
        if message is None and time.monotonic() - sent_at < quiet_seconds:
            continue
        yield message or KEEPALIVE_COMMENT
        sent_at = time.monotonic()


async def reader_messages(store: Store, bell: Bell, user_id: int, after: int) -> Messages:
    """Tell a user everything that concerns them after the event numbered `after`."""
    yield _RECONNECT
    with bell.listening() as rung:
        async for _ in bell.turns(rung, at_most=_SLOW_POLL_SECONDS):
            more = True
            while more:
                found, after, more = await _reader_page(store, user_id, after)
                for event in found:
                    yield _message(event)
            yield None


async def _reader_page(store: Store, user_id: int, after: int) -> tuple[list[Event], int, bool]:
    # With Postgres away the stream stays: its place is kept, and nothing is lost.
    try:
        async with store.transaction() as tx:
            found, reached = await tx.reader.events(user_id, after, limit=_PAGE)
    except StoreUnavailableError:
        return [], after, False
    return list(found), reached, len(found) == _PAGE


class RunMessages:
    """Everything about one run: its events after a number, its progress, and at last its end."""

    def __init__(self, store: Store, runs: Runs, bell: Bell, ref: RunRef, after: int) -> None:
        self._store = store
        self._runs = runs
        self._bell = bell
        self._ref = ref
        self._after = after
        self._progress: IngestionProgress | None = None

    async def stream(self) -> Messages:
        yield _RECONNECT
        with self._bell.listening() as rung:
            closed = asyncio.create_task(self._runs.until_closed(self._ref), name="run-closed")
            closed.add_done_callback(lambda _: rung.set())
            watch = asyncio.create_task(self._watch(rung), name="run-progress")
            try:
                async with aclosing(self._turns(rung, closed)) as messages:
                    async for message in messages:
                        yield message
            finally:
                closed.cancel()
                watch.cancel()

    async def _turns(self, rung: asyncio.Event, closed: asyncio.Task[None]) -> Messages:
        shown: IngestionProgress | None = None
        async for _ in self._bell.turns(rung, at_most=_SLOW_POLL_SECONDS):
            # Asked before the events are read: a run's events are committed before it closes.
            over = closed.done()
            try:
                async for event in self._events():
                    yield _message(event)
            except StoreUnavailableError:
                over = False
            if over and (finished := await self._finished()):
                yield _named("run.finished", finished)
                return
            if self._progress != shown and (shown := self._progress):
                yield _named("run.progress", shown)
            yield None

    async def _events(self) -> AsyncIterator[Event]:
        while True:
            async with self._store.transaction() as tx:
                page = await tx.events.after(self._after, run_id=self._ref.run_id, limit=_PAGE)
            for event in page:
                self._after = event.id
                yield event
            if len(page) < _PAGE:
                return

    async def _watch(self, rung: asyncio.Event) -> None:
        while True:
            # Asked twice a second, which nobody wants to be told of.
            with spans.silence():
                progress = await self._runs.progress(self._ref)
            if progress is not None and progress != self._progress:
                self._progress = progress
                rung.set()
            await asyncio.sleep(_PROGRESS_SECONDS)

    async def _finished(self) -> RunFinished | None:
        with contextlib.suppress(FeedmillError):
            view = await self._runs.describe(self._ref)
            return RunFinished.model_validate(view, from_attributes=True)
        return None


def _message(event: Event) -> bytes:
    return format_sse_event(
        id=str(event.id), event=event.kind, data_str=event.model_dump_json(by_alias=True)
    )


def _named(name: str, model: BaseModel) -> bytes:
    return format_sse_event(event=name, data_str=model.model_dump_json(by_alias=True))
