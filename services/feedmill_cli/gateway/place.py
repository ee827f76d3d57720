"""Where the gateway is, and what lets us in."""

from pydantic import Field
from yarl import URL

from feedmill.config import StackSettings
from feedmill.models.base import Model
from feedmill_cli.errors import EXIT_NOT_RUNNING, CommandError, NotRunningError
from feedmill_cli.stack.folder import Folder


class Place(Model):
    url: str
    token: str | None = Field(repr=False)


def find_gateway(settings: StackSettings, folder: Folder, url: str | None) -> Place:
    """Return the gateway a person means: by option, by setting, or the one that runs here.

    The token kept in the folder is for the gateway that runs from it, and goes nowhere else.

    Raises
    ------
    NotRunningError
        None is named, and none runs here.
    CommandError
        Another one is named, and FEEDMILL_TOKEN is not set.
    """
    own = _own_page(folder)
    named = url or (str(settings.url) if settings.url else None)
    address = own if named is None else _checked(named)
    if address is None:
        raise NotRunningError(
            "Feedmill is not running here: start it with `feedmill up`", exit_code=EXIT_NOT_RUNNING
        )
    if settings.token is not None:
        return Place(url=address, token=settings.token.get_secret_value())
    if own is None or URL(address).origin() != URL(own).origin():
        raise CommandError(
            f"FEEDMILL_TOKEN is missing: {address} needs its own token, "
            "and the one kept here is for the gateway that runs here alone"
        )
    return Place(url=address, token=folder.token())


def _own_page(folder: Folder) -> str | None:
    # Once the fleet has ended, anybody may listen where its gateway did.
    urls = folder.state().urls
    return urls.page if urls is not None and folder.holder() is not None else None


def _checked(url: str) -> str:
    try:
        parsed = URL(url)
    except ValueError as error:
        raise NotRunningError(f"--url: {url} is no address: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise NotRunningError(f"--url: {url} is no address: it must start with http:// or https://")
    return url
