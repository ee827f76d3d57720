"""What addresses, types and titles give away about feeds, and where feeds live. Pure."""

import re
from urllib.parse import urlsplit

from feedmill.models.feeds import FeedLink

_TYPE = re.compile(r"(?:^|[/+.-])(?:rss|atom|rdf|feed)\b")

_EXTENSIONS = frozenset({"atom", "rdf", "rss", "rss2"})
_DATA_EXTENSIONS = frozenset({"json", "xml"})
_NAMES = frozenset({"atom", "feed", "feeds", "rdf", "rss", "rss1", "rss2"})
_QUERY = re.compile(
    r"(?:^|[&;])(?:alt|feed|format|mode|output|type|view)=(?:atom|feed|rdf|rss[0-9.]*)(?:$|[&;])",
    re.IGNORECASE,
)
_FEED_HOSTS = ("feed.", "feeds.", "feeds2.", "rss.")
# An address within an address: somebody else's page about it.
_NESTED = re.compile(r"https?(?::|%3a)(?:/|%2f)", re.IGNORECASE)

_LABELS = frozenset({
    "atom", "atom feed", "feed", "rss", "rss 2.0", "rss feed", "rss-feed", "subscribe via rss",
    "web feed", "xml feed",
})  # fmt: skip
_COMMENTS = re.compile(r"comment|kommentar|comentari|reactie|коммент|コメント|评论", re.IGNORECASE)

# In the order of how often real feeds live there: of 3,246 in public lists, hosts that have many of
# them left out, a third is at /feed and a fiftieth at /rss.xml.
_PATHS = ("feed", "rss", "feed.xml", "atom.xml", "rss.xml", "index.xml", "feeds/posts/default")
_PATHS_BELOW = ("feed", "feed.xml", "atom.xml")
_MOST_PATHS = 8

# What sites call the part of them that has news.
_SECTIONS = frozenset({
    "articles", "blog", "blogs", "changelog", "devlog", "diary", "journal", "log", "news", "notes",
    "podcast", "posts", "press", "releases", "stories", "updates", "weblog", "writing",
})  # fmt: skip


def is_feed_type(media_type: str) -> bool:
    """Tell whether a type means a feed, official or not: `application/rss+xml`, `text/atom`."""
    return _TYPE.search(media_type) is not None


def looks_like_feed(url: str) -> bool:
    """Tell whether an address is of the kind that feeds have."""
    parts = urlsplit(url)
    if _NESTED.search(parts.path) or _NESTED.search(parts.query):
        return False
    segments = [segment.lower() for segment in parts.path.split("/") if segment]
    if asks_for_feed(parts.query):
        return True
    if not segments:
        return False
    return _is_feed_name(segments) or (parts.hostname or "").startswith(_FEED_HOSTS)


def asks_for_feed(query: str) -> bool:
    """Tell whether a query asks a page to come as a feed: `format=rss`."""
    return _QUERY.search(query) is not None


def calls_itself_feed(title: str) -> bool:
    """Tell whether a link says no more than that it leads to a feed."""
    return title.lower() in _LABELS


def is_about_comments(link: FeedLink) -> bool:
    return any(_COMMENTS.search(text) for text in (link.title, urlsplit(link.url).path))


def is_elsewhere(url: str, page: str) -> bool:
    """Tell whether an address lies outside a page's site: neither above nor below it."""
    host, home = _site(url), _site(page)
    return not (host == home or host.endswith(f".{home}") or home.endswith(f".{host}"))


def likely_paths(url: str) -> tuple[str, ...]:
    """Return the addresses to try on a site whose page names no feed, at most 8, likeliest first.

    The part of the site that the page belongs to is tried before the whole.
    """
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}"
    folder = _folder(parts.path)
    below = () if folder is None else (f"{folder}/{path}" for path in _PATHS_BELOW)
    return tuple(f"{root}/{path}" for path in (*below, *_PATHS))[:_MOST_PATHS]


def _is_feed_name(segments: list[str]) -> bool:
    stem, dot, extension = segments[-1].rpartition(".")
    if not dot:
        # /blog/feed, /feed/news; but not /feed/2026/05/a-post.
        return any(segment in _NAMES for segment in segments[-2:])
    if extension in _EXTENSIONS:
        return True
    if extension in _DATA_EXTENSIONS:
        return stem == "index" or any(name in re.split(r"[^a-z0-9]", stem) for name in _NAMES)
    return stem in _NAMES


def _folder(path: str) -> str | None:
    """Return the one folder above a page that may have a feed of its own."""
    parts = path.strip("/").split("/")
    for depth, part in enumerate(parts[:2], start=1):
        if part in _SECTIONS or part.startswith("~"):
            return "/".join(parts[:depth])
    is_folder = len(parts) > 1 or path.endswith("/")
    # Years are folders of posts.
    return parts[0] if parts[0] and is_folder and not parts[0].isdigit() else None


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
