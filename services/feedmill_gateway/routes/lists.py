from typing import Any

from fastapi import APIRouter, Request, Response

from feedmill.models.lists import MAX_LIST_BYTES, ListImported
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import ListReaderDep, NetworksDep, RunsDep, StoreDep
from feedmill_gateway.lists.importing import export_list, import_list, too_large

MEDIA_TYPE = "text/x-opml"
SENT_BYTES = 8 * MAX_LIST_BYTES
"""What is received of a file that is too large, so that whoever sends it hears why it is refused."""

router = APIRouter(prefix="/api/v1/opml", tags=["lists"])

_FILE = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "An OPML file of at most 10 MB, whatever its media type.",
        "required": True,
        "content": {MEDIA_TYPE: _FILE, "application/xml": _FILE},
    }
}
_OPML: dict[int | str, dict[str, Any]] = {
    200: {"description": "OPML 2.0", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


class OpmlResponse(Response):
    media_type = f"{MEDIA_TYPE}; charset=utf-8"


@router.post("", summary="Import a list", openapi_extra=_BODY, max_body_size=SENT_BYTES)
async def import_feeds(
    request: Request,
    user: UserDep,
    store: StoreDep,
    runs: RunsDep,
    reader: ListReaderDep,
    networks: NetworksDep,
) -> ListImported:
    """Follow every feed of an OPML file, in its categories and under its titles.

    Nothing is half done: either all feeds that the file names properly are followed, or the file is
    refused with a reason and nothing has changed. Importing a file again changes nothing. New
    feeds are polled one after the other.
    """
    return await import_list(await _received(request), user, store, runs, reader, networks)


@router.get("", summary="Export your feeds", response_class=OpmlResponse, responses=_OPML)
async def export_feeds(user: UserDep, store: StoreDep) -> OpmlResponse:
    """Return every feed you follow as an OPML file, in its categories and under its title."""
    headers = {"Content-Disposition": 'attachment; filename="feedmill.opml"'}
    return OpmlResponse(await export_list(user, store), headers=headers)


async def _received(request: Request) -> bytes:
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_LIST_BYTES:
            body += chunk
    if size > MAX_LIST_BYTES:
        raise too_large()
    return bytes(body)
