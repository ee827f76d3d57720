"""Where the gateway is, and what lets us in."""

from pydantic import Field
from yarl import URL

from feedmill.config import StackSettings
from feedmill.models.base import Model
from feedmill_cli.errors import EXIT_NOT_RUNNING, NotRunningError
from feedmill_cli.stack.folder import Folder


class Place(Model):
    url: str
    token: str | None = Field(repr=False)


def find_gateway(settings: StackSettings, folder: Folder, url: str | None) -> Place:
    """Return the gateway a person means: by option, by setting, or the one that runs here.

    Raises
    ------
    NotRunningError
        None is named, and none runs here.
    """
    named = url or (str(settings.url) if settings.url else None)
    token = settings.token.get_secret_value() if settings.token else folder.token()
    if named is not None:
        return Place(url=_checked(named), token=token)
    urls = folder.state().urls
    if urls is None or folder.holder() is None:
        raise NotRunningError(
            "Feedmill is not running here: start it with `feedmill up`", exit_code=EXIT_NOT_RUNNING
        )
    return Place(url=urls.page, token=token)


def _checked(url: str) -> str:
    try:
        parsed = URL(url)
    except ValueError as error:
        raise NotRunningError(f"--url: {url} is no address: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise NotRunningError(f"--url: {url} is no address: it must start with http:// or https://")
    return url
