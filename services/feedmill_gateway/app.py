"""The gateway as one ASGI application, with everything it depends on given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.staticfiles import StaticFiles

from feedmill import __version__
from feedmill.config import Network
from feedmill.models.events import Event
from feedmill.models.reader import Problem
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill_gateway.codec import CodecEndpoint
from feedmill_gateway.imports import Imports
from feedmill_gateway.listener import Bell
from feedmill_gateway.lists.importing import ListReader
from feedmill_gateway.middleware import Measured, SecurityHeaders, Traced
from feedmill_gateway.pages import Pages
from feedmill_gateway.postman import Postman
from feedmill_gateway.problems import RESPONSES, answer_with_problems
from feedmill_gateway.reextractions import Reextractions
from feedmill_gateway.routes import API, CALLBACKS, PAGES
from feedmill_gateway.runs import Runs
from feedmill_gateway.subscriptions import Subscriptions

# A URL is the largest thing anybody sends, but for lists: their routes allow more.
_BODY_BYTES = 64 * 1024
# FastAPI would tell of paths and queries: those of hubs' callbacks and of signing in are secrets.
_OWN_TELEMETRY = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_DESCRIPTION = """
Follow feeds, watch them being polled, fetched and distilled, and read what came of it.

Send the token as `Authorization: Bearer …`. Whatever goes wrong is answered as
`application/problem+json`, with a `reason` and an `advice` where there is one.
"""


def create_app(
    *,
    store: Store,
    runs: Runs,
    reextractions: Reextractions,
    bell: Bell,
    networks: Sequence[Network],
    list_reader: ListReader,
    pages: Pages,
    codec: CodecEndpoint | None = None,
) -> FastAPI:
    """Build the application. It answers; what it is given works.

    Parameters
    ----------
    codec
        Lets operators read encrypted payloads; None: nobody does.
    """
    app = FastAPIOffline(
        redoc_url=None,
        static_url="/static/reference",
        title="Feedmill",
        version=__version__,
        description=_DESCRIPTION,
        max_body_size=_BODY_BYTES,
        separate_input_output_schemas=False,
        telemetry=_OWN_TELEMETRY,
    )
    app.state.store, app.state.runs, app.state.bell = store, runs, bell
    app.state.networks, app.state.pages = networks, pages
    app.state.list_reader = list_reader
    app.state.reextractions = reextractions
    app.state.postman = Postman(runs)
    app.state.subscriptions = Subscriptions(runs)
    app.state.imports = Imports(runs)
    for router in API:
        app.include_router(router, responses=RESPONSES)
    app.include_router(PAGES)
    app.include_router(CALLBACKS)
    if codec is not None:
        app.include_router(codec.router())
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    answer_with_problems(app)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Measured)
    if spans.are_sent():
        app.add_middleware(Traced)
    _document_more(app)
    return app


def _document_more(app: FastAPI) -> None:
    """Add to the reference what no handler returns as its model: problems, and events in streams."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        schema = generate()
        schemas = schema["components"]["schemas"]
        for model in (Problem, Event):
            described = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= described.pop("$defs", {}) | {model.__name__: described}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents
