"""Where hubs call (WebSub): whether we mean it, and with news. Nothing is said but what they know."""

import asyncio
import re
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect

from feedmill.contracts.callbacks import HUBS
from feedmill.models.hubs import HubSubscription
from feedmill.store import Store
from feedmill.telemetry.metrics import PUSHES
from feedmill_gateway.dependencies import PostmanDep, StoreDep
from feedmill_gateway.hub_calls import after_call, is_signed, read_call, takes_pushes

router = APIRouter(prefix=HUBS, include_in_schema=False)

# More than any feed that is pushed; those are polled.
_PUSH_BYTES = 5_000_000
# Who takes longer to send it holds a connection for nothing.
_PUSH_SECONDS = 30
_CONTENT_TYPE_CHARACTERS = 200

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@router.get("/{token}")
async def verify(token: str, request: Request, store: StoreDep) -> Response:
    """Confirm what we have asked a hub for, and nothing else."""
    call = read_call(request.query_params)
    if call is None or not _TOKEN.fullmatch(token):
        return Response(status_code=HTTPStatus.NOT_FOUND)
    async with store.transaction() as tx:
        subscription = await tx.websub.by_token(token, lock=True)
        after = after_call(subscription, call, now=await tx.now()) if subscription else None
        if after is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        await tx.websub.keep([after])
    return PlainTextResponse(call.challenge)


@router.post("/{token}", max_body_size=_PUSH_BYTES)
async def receive(token: str, request: Request, store: StoreDep, postman: PostmanDep) -> Response:
    """Take news, to be read by somebody else; what nobody asked for or signed is dropped."""
    subscription = await _subscription(token, store)
    if subscription is None:
        # The one answer that makes hubs stop; the same to all, whether it ever was a callback.
        return _dropped("unknown", HTTPStatus.GONE)
    if not takes_pushes(subscription):
        return _dropped("unwanted")
    signatures = request.headers.getlist("X-Hub-Signature")
    if not signatures:
        return _dropped("unsigned")
    body = await _body(request)
    if body is None:
        return _dropped("cut_short", HTTPStatus.REQUEST_TIMEOUT)
    if not is_signed(body, signatures, subscription.secret):
        return _dropped("forged")
    async with store.transaction() as tx:
        await tx.pushes.add(subscription.feed_id, _content_type(request), body)
    PUSHES.labels("received").inc()
    postman.tell(subscription.feed_id)
    return Response(status_code=HTTPStatus.ACCEPTED)


async def _subscription(token: str, store: Store) -> HubSubscription | None:
    if not _TOKEN.fullmatch(token):
        return None
    async with store.transaction() as tx:
        return await tx.websub.by_token(token)


async def _body(request: Request) -> bytes | None:
    try:
        async with asyncio.timeout(_PUSH_SECONDS):
            return await request.body()
    except (TimeoutError, ClientDisconnect):
        return None


def _content_type(request: Request) -> str:
    said = request.headers.get("Content-Type", "")
    return said[:_CONTENT_TYPE_CHARACTERS] if said.isprintable() else ""


def _dropped(outcome: str, status: HTTPStatus = HTTPStatus.ACCEPTED) -> Response:
    PUSHES.labels(outcome).inc()
    return Response(status_code=status)
