"""Feeds as an OPML 2.0 file that other readers understand. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape

from feedmill.models.lists import ListedFeed, one_line

Path = tuple[str, ...]

# Legal in XML, but not for whoever looks at the file in a terminal: marks that turn letters around
# or hide. As numbers they mean the same.
_HIDDEN = re.compile(
    r"[\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


class _Category:
    def __init__(self) -> None:
        self.feeds: list[ListedFeed] = []
        self.categories: dict[str, _Category] = {}

    def at(self, path: Path) -> "_Category":
        found = self
        for name in path:
            found = found.categories.setdefault(name, _Category())
        return found


def write_list(feeds: Sequence[ListedFeed], categories: Collection[Path], *, now: datetime) -> str:
    """Return an OPML file; reading it gives the same feeds, categories and titles.

    Parameters
    ----------
    feeds
        In the order in which they are to stand within their category.
    categories
        Those that are to be there whether or not a feed is in them.
    """
    outermost = _Category()
    for path in sorted(categories, key=lambda path: [name.casefold() for name in path]):
        outermost.at(path)
    for feed in feeds:
        outermost.at(feed.category).feeds.append(feed)
    lines = "\n".join(_lines(outermost, depth=2))
    return _FILE.format(created=format_datetime(now, usegmt=True), outlines=lines)


_FILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
  <head>
    <title>Feeds</title>
    <dateCreated>{created}</dateCreated>
  </head>
  <body>
{outlines}
  </body>
</opml>
"""


def _lines(category: _Category, depth: int) -> Iterator[str]:
    margin = "  " * depth
    for name, inner in category.categories.items():
        yield f"{margin}<outline{_names(name)}>"
        yield from _lines(inner, depth + 1)
        yield f"{margin}</outline>"
    for feed in category.feeds:
        # Whoever reads `text` alone needs one.
        yield f'{margin}<outline type="rss"{_names(feed.title or feed.url)}{_links(feed)}/>'


def _names(name: str) -> str:
    # Some readers look at the one, some at the other.
    return _attribute("text", name) + _attribute("title", name)


def _links(feed: ListedFeed) -> str:
    site = _attribute("htmlUrl", feed.site_url) if feed.site_url else ""
    return _attribute("xmlUrl", feed.url) + site


def _attribute(name: str, value: str) -> str:
    text = _HIDDEN.sub(lambda found: f"&#{ord(found[0])};", escape(one_line(value)))
    return f' {name}="{text}"'
