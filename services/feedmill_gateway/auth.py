"""Who asks, and whether a browser asks on its own behalf or on some other page's."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from feedmill.errors import PermanentError
from feedmill.store import Store
from feedmill_gateway.dependencies import StoreDep

COOKIE = "feedmill_token"

_COOKIE_SECONDS = 365 * 24 * 3600
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(auto_error=False, description="The token in FEEDMILL_TOKEN.")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by signing in on a page.")


class NotAuthenticatedError(PermanentError):
    """No token came along, or one that nobody has."""


class CrossSiteError(PermanentError):
    """A page of another site sent this, with our user's cookie."""


async def authenticate(
    request: Request,
    store: StoreDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    cookie: Annotated[str | None, Security(_cookie)] = None,
) -> int:
    """Return the id of the user whose token came along.

    Raises
    ------
    NotAuthenticatedError
        There is none.
    CrossSiteError
        The cookie came along with a change that another site's page asked for.
    """
    token = bearer.credentials if bearer else cookie
    user_id = await user_of(store, token)
    if user_id is None:
        raise NotAuthenticatedError("Send a token that is known here.")
    if bearer is None and is_cross_site(request.method, request.headers):
        raise CrossSiteError("A page of another site sent this request.")
    return user_id


UserDep = Annotated[int, Depends(authenticate)]


async def user_of(store: Store, token: str | None) -> int | None:
    """Return whose token this is, None if nobody's."""
    if not token:
        return None
    async with store.transaction() as tx:
        return await tx.users.by_token(token)


def is_cross_site(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether another site's page is behind a request that changes something.

    Parameters
    ----------
    headers
        With lower-case names. Browsers send `sec-fetch-site` to https and localhost, and `origin`
        to every address; what sends neither is no browser, and no page can steer it.
    """
    if method in _SAFE_METHODS:
        return False
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def remember(response: Response, token: str, *, secure: bool) -> None:
    """Let a browser send the token from now on, out of reach of any script and any other site."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=secure,
    )


def forget(response: Response) -> None:
    """Let a browser send the token no more."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
