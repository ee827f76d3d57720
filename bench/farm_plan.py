"""Which feeds there are, on which hosts, and what they show. Pure: the same numbers give the same farm.

The hosts are spread as they are in five public subscription lists of 286 to 780 feeds: 71 to 88 % of
the feeds have a host to themselves, the largest host has 3 to 18 % of them, the second 1 to 4 %.
"""

import gzip
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from functools import lru_cache
from html import escape
from typing import NamedTuple

# Of all feeds: the largest hosts, then all that share a host.
_LARGEST = (0.10, 0.03, 0.015, 0.01, 0.007, 0.005)
_SHARED = 0.22
_SMALL_HOSTS = (4, 3, 2, 2, 2)

_HOSTS_A_ROW = 250
_ATOM_EVERY = 4
_PACKED_OF_TEN = 7

_ENTRIES = 20
_NEW_ENTRIES = 2
_DESCRIPTIONS = 400
_DESCRIPTION_WORDS = 78
_FIRST_ENTRY_AT = datetime(2026, 1, 5, 6, tzinfo=UTC)
_SENTENCE = (
    "river window answer morning letter garden market signal engine harbour winter number mirror "
    "record silver bridge forest corner journey paper village basket summer teacher machine story "
    "field measure button candle station kitchen weather library thunder pocket copper island and "
    "the of to in a for with on from under between after before without toward over along"
)


class Misdeed(StrEnum):
    """What a failing feed does instead of answering."""

    MISSING = "404"
    BROKEN = "500"
    BUSY = "429"
    SILENT = "silent"
    TRUNCATED = "truncated"


class Scene(NamedTuple):
    """How the feeds behave in one pass over all of them, as shares of the feeds."""

    changed: float = 0.0
    slow: float = 0.0
    failing: float = 0.0


class Behaviour(NamedTuple):
    """How one feed answers during a scene."""

    changes: bool
    delay_seconds: float
    misdeed: Misdeed | None


class Body(NamedTuple):
    """What one feed shows, ready to be sent."""

    plain: bytes
    packed: bytes | None
    media_type: str


def host_sizes(feeds: int) -> list[int]:
    """Return how many feeds each host has, the largest host first."""
    sizes = [size for share in _LARGEST if (size := round(feeds * share)) > 1]
    shared = round(feeds * _SHARED)
    small = 0
    while sum(sizes) + (size := _SMALL_HOSTS[small % len(_SMALL_HOSTS)]) <= shared:
        sizes.append(size)
        small += 1
    return sorted(sizes, reverse=True) + [1] * (feeds - sum(sizes))


def hosts_of_feeds(feeds: int, seed: int) -> list[str]:
    """Return the host of each feed, in the mixed order in which people collect them."""
    hosts = [_address(at) for at, size in enumerate(host_sizes(feeds)) for _ in range(size)]
    random.Random(seed).shuffle(hosts)
    return hosts


def behaviours(scene: Scene, hosts: Sequence[str], seed: int) -> list[Behaviour]:
    """Return what each feed does in a scene, given the host of each.

    Those that fail on small shared hosts are told to wait: there the host's other feeds show whether it
    is heeded, and a pass over the largest hosts does not have to last that long.
    """
    chance = random.Random(f"{seed} {scene}")
    sizes = Counter(hosts)
    return [_behaviour(scene, chance, 1 < sizes[host] <= max(_SMALL_HOSTS)) for host in hosts]


def body(feed: int, version: int, base: str, seed: int) -> Body:
    """Return the feed at one of its versions: each shows two entries that the last did not."""
    newest = version * _NEW_ENTRIES + _ENTRIES
    numbers = range(newest, newest - _ENTRIES, -1)
    chance = random.Random(f"{seed} {feed}")
    is_atom = feed % _ATOM_EVERY == 0
    document = (_atom if is_atom else _rss)(feed, base, numbers, _descriptions(seed))
    plain = document.encode()
    is_packed = chance.randrange(10) < _PACKED_OF_TEN
    kind = "application/atom+xml" if is_atom else "application/rss+xml"
    return Body(plain, gzip.compress(plain, 6, mtime=0) if is_packed else None, kind)


def _address(host: int) -> str:
    row, column = divmod(host, _HOSTS_A_ROW)
    block, row = divmod(row, _HOSTS_A_ROW)
    return f"127.{1 + block}.{1 + row}.{1 + column}"


def _behaviour(scene: Scene, chance: random.Random, may_be_busy: bool) -> Behaviour:
    misdeeds = [Misdeed.BUSY] if may_be_busy else [each for each in Misdeed if each != Misdeed.BUSY]
    return Behaviour(
        changes=chance.random() < scene.changed,
        delay_seconds=chance.uniform(0.2, 2) if chance.random() < scene.slow else 0,
        misdeed=chance.choice(misdeeds) if chance.random() < scene.failing else None,
    )


@lru_cache(maxsize=1)
def _descriptions(seed: int) -> Sequence[str]:
    chance = random.Random(seed)
    return [_description(chance) for _ in range(_DESCRIPTIONS)]


def _description(chance: random.Random) -> str:
    words = chance.choices(_SENTENCE.split(), k=_DESCRIPTION_WORDS)
    cuts = (words[:20], words[20:25], words[25:50], words[50:])
    first, linked, middle, last = (" ".join(part) for part in cuts)
    return (
        f'<p>{first} <a href="https://example.org/{words[0]}">{linked}</a> {middle}.</p>\n'
        f"<p><strong>{last}</strong> &amp; more.</p>"
    )


def _rss(feed: int, base: str, numbers: range, descriptions: Sequence[str]) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid>"
        f"<pubDate>{format_datetime(at)}</pubDate><description>{escape(text)}</description></item>\n"
        for title, link, at, text in _entries(feed, base, numbers, descriptions)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>Feed {feed}</title><link>{base}/</link><description>All of it</description>\n"
        f"{items}</channel></rss>\n"
    )


def _atom(feed: int, base: str, numbers: range, descriptions: Sequence[str]) -> str:
    entries = "".join(
        f'<entry><title>{title}</title><link href="{link}"/><id>{link}</id>'
        f"<updated>{at.isoformat()}</updated><author><name>A. Writer</name></author>"
        f'<content type="html"><![CDATA[{text}]]></content></entry>\n'
        for title, link, at, text in _entries(feed, base, numbers, descriptions)
    )
    newest = _FIRST_ENTRY_AT + timedelta(hours=numbers[0])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f'<title>Feed {feed}</title><id>{base}/</id><link href="{base}/"/>'
        f"<updated>{newest.isoformat()}</updated>\n{entries}</feed>\n"
    )


def _entries(
    feed: int, base: str, numbers: range, descriptions: Sequence[str]
) -> Iterator[tuple[str, str, datetime, str]]:
    for number in numbers:
        text = descriptions[(feed * 31 + number * 7) % len(descriptions)]
        link = f"{base}/entry/{feed}/{number}"
        at = _FIRST_ENTRY_AT + timedelta(hours=number)
        yield f"{text[3:40].title()} {number}", link, at, text
