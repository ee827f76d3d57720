"""Pages for people; their forms do what the API does."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from feedmill.errors import NotFoundError, TemporalUnavailableError, UrlRefusedError
from feedmill.models.events import RunRef
from feedmill.models.lists import MAX_LIST_BYTES
from feedmill.models.reader import FeedView, RunStarted, RunStatus, RunView
from feedmill.store import Store
from feedmill_gateway import auth
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import (
    EntryId,
    FeedId,
    ImportsDep,
    ListReaderDep,
    NetworksDep,
    PagesDep,
    RunsDep,
    StoreDep,
    SubscriptionsDep,
)
from feedmill_gateway.following import follow_feed, leave_feed, refresh_feed
from feedmill_gateway.lists import importing as lists
from feedmill_gateway.lists.importing import ListRefusedError
from feedmill_gateway.pages import Home
from feedmill_gateway.problems import problem_of
from feedmill_gateway.queries import HomeQuery
from feedmill_gateway.routes.lists import SENT_BYTES, ImportId
from feedmill_gateway.routes.runs import RUN_PATH, RunDep
from feedmill_gateway.runs import Runs

router = APIRouter(include_in_schema=False)

_SEE_OTHER = 303
_ENTRIES = 30
_TEMPORAL_AWAY = "Temporal does not answer: what is here can be read, refreshing has to wait."


@router.get("/")
async def show_home(
    request: Request,
    query: Annotated[HomeQuery, Query()],
    store: StoreDep,
    runs: RunsDep,
    pages: PagesDep,
) -> Response:
    if query.token is not None:
        return await _signed_in(request, query.token, store, pages)
    user = await auth.user_of(store, request.cookies.get(auth.COOKIE))
    if user is None:
        return pages.sign_in()
    return pages.home(await _home(user, query, store, runs))


@router.post("/sign-in")
async def sign_in(
    request: Request, store: StoreDep, pages: PagesDep, token: Annotated[str, Form()] = ""
) -> Response:
    return await _signed_in(request, token.strip(), store, pages)


@router.post("/sign-out")
async def sign_out(_: UserDep) -> Response:
    answer = RedirectResponse("/", _SEE_OTHER)
    auth.forget(answer)
    return answer


@router.post("/feeds")
async def add_feed(
    user: UserDep,
    store: StoreDep,
    runs: RunsDep,
    subscriptions: SubscriptionsDep,
    networks: NetworksDep,
    pages: PagesDep,
    url: Annotated[str, Form()] = "",
) -> Response:
    try:
        added = await follow_feed(url, user, store, subscriptions, networks)
    except UrlRefusedError as error:
        home = await _home(user, HomeQuery(), store, runs)
        return pages.home(home.model_copy(update={"typed_url": url, "refusal": problem_of(error)}))
    return _to_run(added.run)


@router.post("/opml", max_body_size=SENT_BYTES)
async def import_list(
    request: Request,
    user: UserDep,
    store: StoreDep,
    runs: RunsDep,
    imports: ImportsDep,
    reader: ListReaderDep,
    networks: NetworksDep,
    pages: PagesDep,
) -> Response:
    # Read here and not by a parameter: only after the user is known, and of their own page.
    async with request.form(max_files=1, max_fields=1) as form:
        file = form.get("file")
        body = await file.read(MAX_LIST_BYTES + 1) if isinstance(file, UploadFile) else b""
    try:
        report = await lists.import_list(body, user, store, imports, reader, networks)
    except ListRefusedError as error:
        home = await _home(user, HomeQuery(), store, runs)
        return pages.home(home.model_copy(update={"list_refusal": problem_of(error)}))
    if report.waiting:
        return RedirectResponse(f"/imports/{report.id}", _SEE_OTHER)
    return pages.imported(report)


@router.get("/imports/{import_id}")
async def show_import(
    import_id: ImportId, user: UserDep, store: StoreDep, imports: ImportsDep, pages: PagesDep
) -> Response:
    return pages.imported(await lists.show_import(import_id, user, store, imports))


@router.post("/feeds/{feed_id}/refresh")
async def refresh(feed_id: FeedId, user: UserDep, store: StoreDep, runs: RunsDep) -> Response:
    return _to_run(await refresh_feed(feed_id, user, store, runs))


@router.post("/feeds/{feed_id}/remove")
async def remove_feed(feed_id: FeedId, user: UserDep, store: StoreDep) -> Response:
    await leave_feed(feed_id, user, store)
    return RedirectResponse("/", _SEE_OTHER)


@router.get("/entries/{entry_id}")
async def show_entry(
    entry_id: EntryId, user: UserDep, store: StoreDep, pages: PagesDep
) -> Response:
    async with store.transaction() as tx:
        return pages.entry(await tx.reader.entry(user, entry_id))


@router.get("/fragments/entries/{entry_id}")
async def show_card(
    entry_id: EntryId,
    user: UserDep,
    store: StoreDep,
    pages: PagesDep,
    feed: Annotated[int | None, Query()] = None,
) -> Response:
    """Render an entry; in the list of all feeds, the one that stands for its story."""
    async with store.transaction() as tx:
        wanted = tx.reader.card if feed is None else tx.reader.entry
        return pages.card(await wanted(user, entry_id))


@router.get("/fragments/feeds")
async def show_feeds(
    user: UserDep, store: StoreDep, pages: PagesDep, feed: Annotated[int | None, Query()] = None
) -> Response:
    async with store.transaction() as tx:
        return pages.feeds(await tx.reader.feeds(user), feed)


@router.get(f"/fragments/runs{RUN_PATH}")
async def show_run(
    run: RunDep, user: UserDep, store: StoreDep, runs: RunsDep, pages: PagesDep
) -> Response:
    view = await runs.describe(run)
    return pages.run(view, await _title_of(view, user, store))


async def _signed_in(request: Request, token: str, store: Store, pages: PagesDep) -> Response:
    if await auth.user_of(store, token) is None:
        return pages.sign_in(refused=True)
    answer = RedirectResponse("/", _SEE_OTHER)
    auth.remember(answer, token, secure=request.url.scheme == "https")
    return answer


async def _title_of(run: RunView, user: int, store: Store) -> str:
    """Return what a run is about: its feed's name, or the address that is no feed of theirs."""
    with suppress(NotFoundError):
        async with store.transaction() as tx:
            feed = await tx.reader.feed(user, run.feed_id or 0)
        return feed.title or feed.url
    return run.about


async def _home(user: int, query: HomeQuery, store: Store, runs: Runs) -> Home:
    async with store.transaction() as tx:
        # Before what is shown: the page asks for all events after this one.
        last_event = await tx.events.last_number()
        feeds = await tx.reader.feeds(user)
        entries = await tx.reader.entries(
            user,
            feed_id=query.feed,
            before=query.position,
            limit=_ENTRIES,
            folded=query.feed is None,
        )
    home = Home(
        feeds=tuple(feeds),
        entries=entries,
        only=next((feed for feed in feeds if feed.id == query.feed), None),
        is_first_page=query.before is None,
        last_event=last_event,
    )
    try:
        return home.model_copy(update={"run": await _run_to_show(query.run, user, feeds, runs)})
    except TemporalUnavailableError:
        return home.model_copy(update={"notice": _TEMPORAL_AWAY})


async def _run_to_show(
    asked: str | None, user: int, feeds: list[FeedView], runs: Runs
) -> RunView | None:
    followed = {feed.id for feed in feeds}
    ref = _run_ref(asked)
    if ref is None:
        recent = await runs.recent()
        running = [run for run in recent if run.status is RunStatus.RUNNING]
        ref = next((_ref_of(run) for run in running if run.feed_id in followed), None)
    if ref is None:
        return None
    try:
        run = await runs.describe(ref)
        return run if run.feed_id in followed or await runs.began(ref, user) else None
    except NotFoundError:
        return None


def _run_ref(asked: str | None) -> RunRef | None:
    workflow_id, _, run_id = (asked or "").rpartition("/")
    try:
        return RunRef(workflow_id=workflow_id, run_id=str(UUID(run_id)))
    except ValueError:
        return None


def _ref_of(run: RunView) -> RunRef:
    return RunRef(workflow_id=run.workflow_id, run_id=run.run_id)


def _to_run(run: RunStarted) -> Response:
    return RedirectResponse(f"/?run={run.workflow_id}/{run.run_id}", _SEE_OTHER)
