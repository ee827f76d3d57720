"""What a robots.txt says to us (RFC 9309). Pure.

Which group is ours is found here, because the library takes `feed` for a name of `feedmill`; what
the patterns of the group match is the library's business.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from protego import Protego

from feedmill.web.consent import AGENT, says_no_input, sign
from feedmill.web.plain import storable

# Whoever asks for more time between two pages does not want to be read at all.
_LONGEST_DELAY = timedelta(seconds=60)

_EVERYBODY = "*"
# Before the first group.
_NOBODY = ""

_NAMES = frozenset({"user-agent", "useragent", "user agent"})
_SIGNAL = "content-signal"
_RULES = frozenset({
    "allow", "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw",
    "crawl-delay", "crawl delay", "request-rate", "request rate", _SIGNAL,
})  # fmt: skip

_LINE_END = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r"\*|[a-z_-]+")


@dataclass(frozen=True)
class RobotsRules:
    """The rules of one origin, as far as they are for us."""

    crawl_delay: timedelta | None
    withheld: str | None
    _parsed: Protego

    def allows(self, url: str) -> bool:
        """Tell whether a URL of the origin may be asked for."""
        return self._parsed.can_fetch(url, _EVERYBODY)


def our_rules(robots: str) -> str:
    """Return a robots.txt that says to everybody what `robots` says to us.

    Ours are the groups that name us, in one; if there is none, those for everybody. Content signals
    that stand before any group are for everybody too.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    names: set[str] = {_NOBODY}
    naming = False
    for field, value in _fields(robots.removeprefix("\ufeff")):
        if field in _NAMES:
            names = {*names, _name(value)} if naming else {_name(value)}
            naming = True
            # A group without rules is a group.
            groups[_name(value)] += []
        elif field in _RULES:
            naming = False
            for name in names:
                groups[name].append(f"{field}: {value}")
    ours = groups[AGENT] if AGENT in groups else groups[_EVERYBODY]
    lines = [line for line in groups[_NOBODY] if line.startswith(_SIGNAL)] + ours
    return storable("\n".join([f"user-agent: {_EVERYBODY}", *lines]))


def read_rules(rules: str) -> RobotsRules:
    """Read what `our_rules` returned."""
    parsed = Protego.parse(rules)
    return RobotsRules(crawl_delay=_delay(parsed), withheld=_withheld(rules), _parsed=parsed)


def _fields(robots: str) -> Iterator[tuple[str, str]]:
    for line in _LINE_END.split(robots):
        field, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield field.strip().lower(), value.strip()


def _name(value: str) -> str:
    # `Feedmill/1.0` and `Feedmill (news)` are Feedmill.
    found = _TOKEN.match(value.lower())
    return found[0] if found else value


def _delay(parsed: Protego) -> timedelta | None:
    delay = parsed.crawl_delay(_EVERYBODY)
    rate = parsed.request_rate(_EVERYBODY)
    seconds = max(delay or 0.0, rate.seconds / rate.requests if rate else 0.0)
    return min(timedelta(seconds=min(seconds, 1e6)), _LONGEST_DELAY) if seconds else None


def _withheld(rules: str) -> str | None:
    for field, value in _fields(rules):
        if field == _SIGNAL and says_no_input(value):
            return sign(f"robots.txt Content-Signal: {value}")
    return None
