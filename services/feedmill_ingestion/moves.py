"""Whether a feed that says it lives elsewhere is believed. Pure."""

from datetime import datetime, timedelta

from feedmill.models.feeds import Feed

# Evidence of a move: it has been said for a week, or by so many polls in a row.
_STABLE_FOR = timedelta(days=7)
_STABLE_POLLS = 30
# So many sites do not move into one place on the same days: a network wants somebody to sign in.
MOST_SITES = 3
# Postgres cannot index much more. What redirects to more is a ticket, not a home.
_URL_CHARACTERS = 2_000


def believed_move(feed: Feed, *, now: datetime) -> str | None:
    """Return the address that a feed is to be asked at from now on, None if it stays where it is.

    The same address over TLS is believed at once; any other when every poll for a week, or thirty
    in a row, were sent there for good and found the feed.
    """
    if feed.moved_to is None or feed.moved_to == feed.url:
        return None
    if feed.url.startswith("http://") and feed.moved_to == f"https{feed.url[4:]}":
        return feed.moved_to
    is_stable = feed.moved_since is not None and now - feed.moved_since >= _STABLE_FOR
    return feed.moved_to if is_stable or feed.moved_polls >= _STABLE_POLLS else None


def may_be_kept(url: str) -> bool:
    """Tell whether a feed can be known by an address."""
    return len(url) <= _URL_CHARACTERS
