"""Sites to follow: real ones where the shared corpus lies beside the repository, else ones of our own."""

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

from support.corpus import serve_corpus
from support.origin import Origin

ROOT = Path(__file__).parents[2]
SHARED_CORPUS = ROOT.parent / "shared" / "corpus"

# A plain RSS feed of ten entries, and pages of news sites.
_REAL_FEED = SHARED_CORPUS / "feeds" / "real-18d1bc71cc221963.xml.gz"
_ITEM_LINK = re.compile(rb"(<item\b.*?<link>)([^<]*)(</link>)", re.DOTALL)


@dataclass(frozen=True)
class Site:
    """A feed on an origin, and how many entries it shows."""

    url: str
    entries: int


def serve_real_site(origin: Origin) -> Site:
    """Serve a real feed whose entries lead to real pages, if the corpus is there; else our own."""
    return _serve_shared(origin) if SHARED_CORPUS.is_dir() else serve_own_site(origin)


def serve_own_site(origin: Origin) -> Site:
    """Serve a feed of five articles written for these tests."""
    feed = serve_corpus(origin)[0]
    return Site(origin.url(feed.path), len(feed.entries))


def serve_many(origin: Origin, count: int, *, path: str = "/many.xml") -> Site:
    """Serve a feed of `count` entries, each with an article of its own."""
    items = "".join(
        f"<item><title>Mill {number}</title><guid>mill-{number}</guid>"
        f"<link>{origin.url(f'/mills/{number}')}</link></item>"
        for number in range(count)
    )
    origin.serve(
        path,
        f'<rss version="2.0"><channel><title>Mills</title>{items}</channel></rss>',
        content_type="application/rss+xml",
    )
    for number in range(count):
        origin.serve(f"/mills/{number}", article(number))
    return Site(origin.url(path), count)


def article(number: int) -> str:
    """Return a page with an article that differs from all others."""
    paragraphs = "".join(
        f"<p>Mill number {number} stood on the river for {number + 100 + line} years, and its "
        f"wheel turned {line + 3} times a minute while the miller counted sacks of flour.</p>"
        for line in range(6)
    )
    return (
        f"<html lang='en'><head><title>Mill {number}</title></head><body><nav>Home About</nav>"
        f"<article><h1>Mill {number}</h1>{paragraphs}</article><footer>Imprint</footer></body></html>"
    )


def _serve_shared(origin: Origin) -> Site:
    pages = sorted((SHARED_CORPUS / "articles").glob("*.html.gz"))
    numbered = iter(range(len(pages)))

    def lead_here(item: re.Match[bytes]) -> bytes:
        path = f"/articles/{next(numbered)}"
        return item[1] + origin.url(path).encode() + item[3]

    feed, entries = _ITEM_LINK.subn(lead_here, gzip.decompress(_REAL_FEED.read_bytes()))
    origin.serve("/feed.xml", feed, content_type="application/rss+xml; charset=utf-8")
    for number, page in enumerate(pages[:entries]):
        origin.serve(f"/articles/{number}", gzip.decompress(page.read_bytes()))
    return Site(origin.url("/feed.xml"), entries)
