from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from feedmill.models.lists import MAX_LIST_BYTES, ImportsListed, ListImported
from feedmill.models.reader import MAX_ID
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import ImportsDep, ListReaderDep, NetworksDep, StoreDep
from feedmill_gateway.lists.importing import (
    cancel_import,
    export_list,
    import_list,
    list_imports,
    show_import,
    too_large,
)

MEDIA_TYPE = "text/x-opml"
SENT_BYTES = 8 * MAX_LIST_BYTES
"""What is received of a file that is too large, so that whoever sends it hears why it is refused."""

router = APIRouter(prefix="/api/v1", tags=["lists"])

ImportId = Annotated[int, Path(ge=1, le=MAX_ID)]

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


@router.post(
    "/opml",
    summary="Import a list",
    openapi_extra=_BODY,
    max_body_size=SENT_BYTES,
    responses={202: {"description": "It goes on by itself; `href` tells.", "model": ListImported}},
)
async def import_feeds(
    request: Request,
    response: Response,
    user: UserDep,
    store: StoreDep,
    imports: ImportsDep,
    reader: ListReaderDep,
    networks: NetworksDep,
) -> ListImported:
    """Follow every feed of an OPML file, in its categories and under its titles.

    A file that cannot be read as a whole is refused with a reason, and nothing has changed. Otherwise
    each of its outlines is followed, or named with what is wrong. What takes longer than some
    seconds goes on by itself, whatever happens meanwhile: the answer is 202 then, and its `href`
    tells how far it is. The same file sent meanwhile joins; sent again afterwards it changes
    nothing. New feeds are polled one after the other.
    """
    report = await import_list(await _received(request), user, store, imports, reader, networks)
    if report.waiting:
        response.status_code = HTTPStatus.ACCEPTED
    return report


@router.get("/imports", summary="List imports")
async def show_imports(user: UserDep, store: StoreDep, imports: ImportsDep) -> ImportsListed:
    """Return your last twenty imports, newest first, without their lines."""
    return ImportsListed(items=tuple(await list_imports(user, store, imports)))


@router.get("/imports/{import_id}", summary="Show an import")
async def show(
    import_id: ImportId, user: UserDep, store: StoreDep, imports: ImportsDep
) -> ListImported:
    """Return how far an import is, and what came of each line that was not simply added."""
    return await show_import(import_id, user, store, imports)


@router.post("/imports/{import_id}/cancel", summary="Cancel an import")
async def cancel(
    import_id: ImportId, user: UserDep, store: StoreDep, imports: ImportsDep
) -> ListImported:
    """Let an import end where it stands; what it has followed stays so.

    The same file, sent again, goes on where it ended.
    """
    return await cancel_import(import_id, user, store, imports)


@router.get("/opml", summary="Export your feeds", response_class=OpmlResponse, responses=_OPML)
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
