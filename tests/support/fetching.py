"""A fetcher, put together the way its service does it."""

from datetime import timedelta

from feedmill.isolation import IsolatedPool
from feedmill.store import Store
from feedmill.web.client import WebClient
from feedmill.web.robots import Robots
from feedmill_fetch.asking import PageAsker
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.pruning import PagePruner
from feedmill_fetch.recording import Recorder
from feedmill_fetch.transcribing import Transcriber
from support.manners import governor_of

NO_SPACING = timedelta(0)


def build_fetcher(
    store: Store,
    web: WebClient,
    extractors: IsolatedPool,
    *,
    spacing: timedelta = NO_SPACING,
    keeps_pages: bool = True,
    always_asks: bool = False,
    has_browser: bool = False,
    rules: str = "",
) -> Fetcher:
    governor = governor_of(store, spacing)
    robots = Robots(store, web, governor)
    examiner = Examiner(extractors, rules)
    asker = PageAsker(store, web, governor, robots, examiner, keeps_pages=keeps_pages)
    pruner = PagePruner(store, timedelta(days=14))
    recorder = Recorder(store, Transcriber(web, governor, robots, examiner))
    return Fetcher(store, asker, recorder, pruner, always_asks=always_asks, has_browser=has_browser)
