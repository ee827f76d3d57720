"""Follows a run to its end, over as many connections as it takes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from feedmill.models.reader import RunFinished
from feedmill.models.runs import IngestionProgress
from feedmill_cli.errors import CommandError
from feedmill_cli.gateway.client import Gateway, GatewayAwayError
from feedmill_cli.gateway.sse import Message, MessageReader

_PROGRESS = "run.progress"
_FINISHED = "run.finished"

# Long enough for a gateway that is restarted, or drained in a rollout.
_PATIENCE_SECONDS = 60.0
_RETRY_SECONDS = 1.0

Show = Callable[[IngestionProgress], None]


class Absence:
    """How long the gateway has been away: since the first attempt that failed, and not since its last word.

    Parameters
    ----------
    goes_on
        What does so meanwhile, for whoever has waited in vain.
    """

    def __init__(
        self, *, goes_on: str = "the feed is read", patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self._patience_seconds = patience_seconds
        self._goes_on = goes_on
        self._since: float | None = None

    def end(self) -> None:
        """Say that it is there."""
        self._since = None

    def bear(self, error: GatewayAwayError) -> None:
        """Say that it is away.

        Raises
        ------
        CommandError
            It has been so for too long.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since > self._patience_seconds:
            raise CommandError(f"{error}; {self._goes_on} on without us") from error


async def follow_run(
    gateway: Gateway, href: str, show: Show, *, patience_seconds: float = _PATIENCE_SECONDS
) -> RunFinished:
    """Show a run's progress whenever it changes; return how it ended.

    Raises
    ------
    CommandError
        The gateway stayed away for too long. The run itself goes on.
    ProblemError
        There is no such run.
    """
    reader, absence = MessageReader(), Absence(patience_seconds=patience_seconds)
    while True:
        try:
            async for message in _messages(gateway, f"{href}/events", reader, absence):
                if message.event == _FINISHED:
                    return RunFinished.model_validate_json(message.data)
                if message.event == _PROGRESS:
                    show(IngestionProgress.model_validate_json(message.data))
        except GatewayAwayError as error:
            absence.bear(error)
        await asyncio.sleep(reader.retry_seconds or _RETRY_SECONDS)


async def _messages(
    gateway: Gateway, path: str, reader: MessageReader, absence: Absence
) -> AsyncIterator[Message]:
    reader.forget_unfinished()
    async with gateway.stream(path, last_event_id=reader.last_id) as lines:
        absence.end()
        async for line in lines:
            message = reader.feed(line.decode(errors="replace").rstrip("\r\n"))
            if message is not None:
                yield message
