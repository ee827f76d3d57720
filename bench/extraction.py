"""How much of the articles is found, and what that costs, beside readability-lxml and trafilatura. See README.md."""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from readability import Document
from rich.console import Console
from rich.table import Table
from trafilatura import bare_extraction

from feedmill.web.charsets import decode_text
from feedmill_fetch.article import find_article
from feedmill_fetch.extraction import examine
from feedmill_fetch.metadata import read_metadata
from feedmill_fetch.page import base_of, parse
from feedmill_fetch.sanitising import sanitise_tree
from support.scoring import content_of, items, score

Find = Callable[[bytes, str], object]
R = TypeVar("R")

_MILLISECONDS = 1_000

# What the corpus's scorer is asked: the kind, our function, and those of others.
_SCORES = (
    ("article", "article", ("article_by_trafilatura", "article_by_readability")),
    ("article_segments", "article", ("article_by_trafilatura", "article_by_readability")),
    ("article_html", "clean_html", ("clean_html_by_readability",)),
)

_NO_SCORES = frozenset({"kind", "n", "errors", "median_ms"})


@dataclass(frozen=True)
class Page:
    body: bytes
    url: str


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3, help="over all pages; medians are shown")
    options = arguments.parse_args()
    console = Console()
    for kind, ours, others in _SCORES:
        console.print(_scores(kind, (ours, *others)))
    pages = [
        Page(content_of(item), item["url"])
        for kind in ("article", "article_segments")
        for item in items(kind)
    ]
    console.print(_costs(pages, options.runs))
    console.print(_steps(pages))


def _scores(kind: str, adapters: Sequence[str]) -> Table:
    scored = [score(kind, adapter) for adapter in adapters]
    table = Table("", *adapters, title=f"{kind}, {scored[0]['n']} pages")
    for name in scored[0]:
        if name not in _NO_SCORES:
            table.add_row(name.replace("_", " "), *(f"{figures[name]:.4f}" for figures in scored))
    return table


def _costs(pages: Sequence[Page], runs: int) -> Table:
    finders: dict[str, Find] = {
        "feedmill": lambda body, url: examine(body, charset=None, url=url),
        "trafilatura, with metadata": _by_trafilatura,
        "readability-lxml": _by_readability,
    }
    table = Table("", "CPU-ms/page, mean", "median", "worst", "pages/s per core", title="Costs")
    for name, find in finders.items():
        # The first page pays for what is loaded with it.
        find(pages[0].body, pages[0].url)
        means, medians, worsts = zip(*(_measure(find, pages) for _ in range(runs)), strict=True)
        mean = statistics.median(means)
        row = (mean, statistics.median(medians), statistics.median(worsts))
        table.add_row(name, *(f"{figure:.1f}" for figure in row), f"{_MILLISECONDS / mean:.0f}")
    return table


def _measure(find: Find, pages: Sequence[Page]) -> tuple[float, float, float]:
    costs = [_cost(partial(find, page.body, page.url)) for page in pages]
    return statistics.mean(costs), statistics.median(costs), max(costs)


def _steps(pages: Sequence[Page]) -> Table:
    """Return what each step of ours costs by itself."""
    steps = [_step_costs(page) for page in pages]
    table = Table("step", "CPU-ms/page, mean", title="feedmill, step by step")
    for step in steps[0]:
        table.add_row(step, f"{statistics.mean(each.get(step, 0.0) for each in steps):.1f}")
    return table


def _step_costs(page: Page) -> dict[str, float]:
    clock = _Clock()
    source = clock.time("decoding", lambda: decode_text(page.body, None))
    tree = clock.time("parsing", lambda: parse(source))
    if tree is None:
        return clock.costs
    base = base_of(tree, page.url)
    metadata = clock.time("metadata", lambda: read_metadata(tree, page.url, base))
    article = clock.time(
        "extraction",
        lambda: find_article(
            tree,
            source,
            titles=tuple(metadata.titles),
            teaser="",
            wants_byline=not metadata.byline,
        ),
    )
    clock.time("sanitising", lambda: sanitise_tree(article.root, base))
    return clock.costs


class _Clock:
    def __init__(self) -> None:
        self.costs: dict[str, float] = {}

    def time(self, step: str, run: Callable[[], R]) -> R:
        began = time.process_time()
        result = run()
        self.costs[step] = _MILLISECONDS * (time.process_time() - began)
        return result


def _cost(run: Callable[[], object]) -> float:
    clock = _Clock()
    clock.time("all", run)
    return clock.costs["all"]


def _by_trafilatura(body: bytes, url: str) -> object:
    return bare_extraction(body, url=url, include_comments=False, with_metadata=True)


def _by_readability(body: bytes, url: str) -> object:
    return Document(body, url=url).summary(html_partial=True)


if __name__ == "__main__":
    main()
