"""The pages, rendered here and complete without a script."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from feedmill import __version__
from feedmill.models.base import Model
from feedmill.models.lists import ListImported
from feedmill.models.outcomes import ADVICE
from feedmill.models.reader import EntryDetail, EntryPage, EntryView, FeedView, Problem, RunView
from feedmill_gateway import words
from feedmill_gateway.passages import marked

_UNAUTHORIZED = 401


class Home(Model):
    """Everything the front page shows."""

    feeds: tuple[FeedView, ...]
    entries: EntryPage
    only: FeedView | None = None
    is_first_page: bool = True
    run: RunView | None = None
    last_event: int = 0
    notice: str = ""
    typed_url: str = ""
    refusal: Problem | None = None
    list_refusal: Problem | None = None


class Pages:
    """Renders every page, and the parts of one that its script asks for anew."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self._clock = clock or partial(datetime.now, UTC)
        self._environment = Environment(
            loader=PackageLoader("feedmill_gateway"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "by_category": words.by_category,
            "counted": words.counted,
            "enclosure_words": words.enclosure_words,
            "percent": words.percent,
        }
        self._environment.globals |= {
            "version": __version__,
            "stages": words.STAGES,
            "steps": words.STEPS,
            "steps_json": json.dumps(words.STEPS),
            "ends": words.ENDS,
            "advice": ADVICE,
        }

    def home(self, home: Home) -> HTMLResponse:
        """Render the front page; one with a refusal is no success."""
        titles = {feed.id: feed.title or feed.url for feed in home.feeds}
        refusal = home.refusal or home.list_refusal
        status = refusal.status if refusal else 200
        return self._page("home.html", {"home": home, "titles": titles, "run": home.run}, status)

    def entry(self, entry: EntryDetail) -> HTMLResponse:
        """Render the page of one entry, with its article."""
        return self._page("entry.html", {"entry": entry, "marked": marked(entry)})

    def card(self, entry: EntryView) -> HTMLResponse:
        """Render an entry as it stands in the list."""
        return self._page("card.html", {"entry": entry})

    def feeds(self, feeds: list[FeedView], only_id: int | None = None) -> HTMLResponse:
        """Render the list of feeds alone."""
        return self._page("feeds.html", {"feeds": feeds, "only_id": only_id})

    def imported(self, imported: ListImported) -> HTMLResponse:
        """Render what came of importing a list."""
        troubles = words.by_trouble(imported.lines)
        return self._page("imported.html", {"imported": imported, "troubles": troubles})

    def run(self, run: RunView, title: str) -> HTMLResponse:
        """Render how a run stands, alone."""
        return self._page("run.html", {"run": run, "titles": {run.feed_id: title}, "last_event": 0})

    def sign_in(self, *, refused: bool = False) -> HTMLResponse:
        """Render the form that asks for the token."""
        return self._page("sign_in.html", {"refused": refused}, _UNAUTHORIZED)

    def problem(self, problem: Problem) -> HTMLResponse:
        """Render what went wrong; who is not signed in gets the form to do so."""
        if problem.status == _UNAUTHORIZED:
            return self.sign_in()
        return self._page("problem.html", {"problem": problem}, problem.status)

    def _page(self, name: str, shown: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        now = self._clock()
        said = {
            "when": partial(words.when, now=now),
            "feed_words": partial(words.feed_words, now=now),
            "failure_words": partial(words.failure_words, now=now),
        }
        html = self._environment.get_template(name).render(**shown, **said)
        return HTMLResponse(html, status)
