"""The frame of every command that asks the gateway for something."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from feedmill_cli.gateway.client import Gateway, open_gateway
from feedmill_cli.gateway.place import Place, find_gateway
from feedmill_cli.settings import folder_of, load_settings
from feedmill_cli.told import told


def talk(
    request: Callable[[Gateway], Awaitable[None]], url: str | None, data_dir: Path | None
) -> None:
    """Run `request` with the gateway a person means.

    Raises
    ------
    CommandError
        There is none, it does not answer, or it refuses.
    """
    settings = load_settings()
    place = find_gateway(settings, folder_of(settings, data_dir), url)
    with told(settings):
        asyncio.run(_talk(request, place))


async def _talk(request: Callable[[Gateway], Awaitable[None]], place: Place) -> None:
    async with open_gateway(place) as gateway:
        await request(gateway)
