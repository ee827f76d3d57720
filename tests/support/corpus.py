"""Two small sites of our own, and what a reader should get out of them."""

import json
from functools import cache
from pathlib import Path

from pydantic import AwareDatetime, BaseModel

from support.origin import Origin

_FOLDER = Path(__file__).parent.parent / "corpus"


class CorpusEntry(BaseModel):
    """One article, as its feed and its page should be understood."""

    path: str
    title: str
    author: str
    published_at: AwareDatetime
    summary: str
    first_words: str
    last_words: str


class CorpusFeed(BaseModel):
    """One feed, newest entry first. `boilerplate` stands on its pages and in no article."""

    path: str
    content_type: str
    title: str
    site_path: str
    entries: tuple[CorpusEntry, ...]
    boilerplate: tuple[str, ...]


@cache
def corpus() -> tuple[CorpusFeed, ...]:
    """Return the index of what there is."""
    index = json.loads((_FOLDER / "index.json").read_text())
    return tuple(CorpusFeed.model_validate(feed) for feed in index["feeds"])


def corpus_file(path: str, base: str = "https://corpus.example") -> bytes:
    """Return what the site at `base` serves under a path."""
    return (_FOLDER / path.removeprefix("/")).read_text().replace("{base}", base).encode()


def serve_corpus(origin: Origin) -> tuple[CorpusFeed, ...]:
    """Let the origin serve every feed and page, with validators; return the index."""
    for feed in corpus():
        body = corpus_file(feed.path, origin.base)
        origin.serve(feed.path, body, content_type=feed.content_type, etag=f'"{len(body)}"')
        for entry in feed.entries:
            origin.serve(entry.path, corpus_file(entry.path))
    return corpus()
