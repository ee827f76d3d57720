"""Settings and short forms for tests that ask a scripted origin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from feedmill.config import WebSettings
from feedmill.web.answers import Reply
from feedmill.web.client import WebClient


def web_settings(allowed: str = "127.0.0.0/8", **changes: object) -> WebSettings:
    """Return settings under which loopback may be asked, as often as one likes."""
    return WebSettings.model_validate(
        {
            "database_url": "postgresql://nobody@127.0.0.1/none",
            "allowed_networks": allowed,
            "host_spacing_seconds": 0,
            "poll_interval_seconds": 60,
            **changes,
        }
    )


@asynccontextmanager
async def always(url: str, *, patient: bool = False) -> AsyncIterator[datetime | None]:
    """Admit every request at once."""
    yield None


async def get(client: WebClient, url: str, *, max_bytes: int = 10_000) -> Reply:
    """Ask the way most tests do."""
    return await client.get(url, purpose="feed", accept="*/*", max_bytes=max_bytes, admit=always)
