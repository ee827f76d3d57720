"""What handlers ask for by type; `create_app` was given all of it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Path, Request

from feedmill.config import Network
from feedmill.models.reader import MAX_ID
from feedmill.store import Store
from feedmill_gateway.imports import Imports
from feedmill_gateway.listener import Bell
from feedmill_gateway.lists.importing import ListReader
from feedmill_gateway.pages import Pages
from feedmill_gateway.postman import Postman
from feedmill_gateway.reextractions import Reextractions
from feedmill_gateway.runs import Runs
from feedmill_gateway.subscriptions import Subscriptions


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


def _subscriptions(request: Request) -> Subscriptions:
    subscriptions: Subscriptions = request.app.state.subscriptions
    return subscriptions


def _imports(request: Request) -> Imports:
    imports: Imports = request.app.state.imports
    return imports


def _reextractions(request: Request) -> Reextractions:
    reextractions: Reextractions = request.app.state.reextractions
    return reextractions


def _postman(request: Request) -> Postman:
    postman: Postman = request.app.state.postman
    return postman


def _bell(request: Request) -> Bell:
    bell: Bell = request.app.state.bell
    return bell


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _list_reader(request: Request) -> ListReader:
    reader: ListReader = request.app.state.list_reader
    return reader


def _networks(request: Request) -> Sequence[Network]:
    networks: Sequence[Network] = request.app.state.networks
    return networks


StoreDep = Annotated[Store, Depends(_store)]
RunsDep = Annotated[Runs, Depends(_runs)]
SubscriptionsDep = Annotated[Subscriptions, Depends(_subscriptions)]
ImportsDep = Annotated[Imports, Depends(_imports)]
ReextractionsDep = Annotated[Reextractions, Depends(_reextractions)]
PostmanDep = Annotated[Postman, Depends(_postman)]
BellDep = Annotated[Bell, Depends(_bell)]
PagesDep = Annotated[Pages, Depends(_pages)]
ListReaderDep = Annotated[ListReader, Depends(_list_reader)]
NetworksDep = Annotated[Sequence[Network], Depends(_networks)]

FeedId = Annotated[int, Path(ge=1, le=MAX_ID)]
EntryId = Annotated[int, Path(ge=1, le=MAX_ID)]
