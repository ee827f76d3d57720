"""What the headers of an answer say, as values. Pure; the clock comes in."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from multidict import MultiMapping

from feedmill.models.feeds import Hub, Validators
from feedmill.web.consent import reserves, says_no_input, says_no_models, sign
from feedmill.web.locations import joined

# A site that asks for more is mistaken; the longest `max-age` in real use is a year, by habit.
_LONGEST_FRESHNESS = timedelta(days=31)
_LONGEST_RETRY_AFTER = timedelta(days=1)

# An ETag longer than this is a page in disguise.
_VALIDATOR_CHARACTERS = 1_024

_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:+-]+)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"(?:^|[\s,])(s-maxage|max-age)\s*=\s*\"?([0-9]{1,15})", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,15}")
_NOTHING = re.compile(r"0(?:\.[0-9]*)?")
_LIMIT = re.compile(r";\s*r=0\s*;\s*t=([0-9]{1,15})")

_SIGNS = (
    ("X-Robots-Tag", says_no_models),
    ("Content-Signal", says_no_input),
    ("TDM-Reservation", reserves),
)

_LINK = re.compile(r"<([^<>]*)>((?:\s*;[^;,\"<]*(?:\"[^\"]*\")?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


def media_type(content_type: str) -> str:
    """Return the type without parameters, in lower case: `text/html`."""
    kind = content_type.partition(";")[0].strip().lower()
    # Bytes that are no ASCII arrive as halves of characters, and are no type anybody knows.
    return kind if kind.isascii() and kind.isprintable() else ""


def charset(content_type: str) -> str | None:
    found = _CHARSET.search(content_type)
    return found[1].lower() if found else None


def validators(headers: MultiMapping[str], url: str) -> Validators:
    """Return the validators of `url` byte for byte, except those that could not be sent back so."""
    etag = _sendable(headers.get("ETag"))
    last_modified = _sendable(headers.get("Last-Modified"))
    if etag is None and last_modified is None:
        return Validators()
    return Validators(etag=etag, last_modified=last_modified, url=url)


def retry_after(headers: MultiMapping[str], now: datetime) -> timedelta | None:
    """Return how long the site asks us to wait, between nothing and a day; None if it does not."""
    value = headers.get("Retry-After", "").strip()
    wait = _seconds(value) if _SECONDS.fullmatch(value) else _until(value, now)
    return None if wait is None else _within(wait, _LONGEST_RETRY_AFTER)


def max_age(headers: MultiMapping[str], now: datetime) -> timedelta | None:
    """Return for how long the answer stays fresh, at most 31 days; None if it does not say.

    `Cache-Control` outranks `Expires` (RFC 9111, 5.3); what a cache on the way has used up of it is
    taken off.
    """
    found = {name.lower(): text for name, text in _DIRECTIVE.findall(_cache_control(headers))}
    if "max-age" in found:
        age = headers.get("Age", "").strip()
        used = _seconds(age) if _SECONDS.fullmatch(age) else timedelta(0)
        return _within(_seconds(found["max-age"]) - used, _LONGEST_FRESHNESS)
    # Both from the server's clock, so that ours need not agree with it.
    start = _date(headers.get("Date", "")) or now
    fresh = _until(headers.get("Expires", ""), start)
    return None if fresh is None else _within(fresh, _LONGEST_FRESHNESS)


def spent_for(headers: MultiMapping[str], now: datetime) -> timedelta | None:
    """Return how long the site has no more requests left for us, at most a day; None if it has some.

    Read are the draft's `RateLimit` and what came before it: `X-RateLimit-Remaining` with `-Reset`,
    in seconds from now or since 1970.
    """
    limits = _LIMIT.search(headers.get("RateLimit", ""))
    if limits is not None:
        return _within(_seconds(limits[1]), _LONGEST_RETRY_AFTER)
    for prefix in ("X-RateLimit", "X-Rate-Limit", "RateLimit"):
        left = headers.get(f"{prefix}-Remaining", "").strip()
        reset = headers.get(f"{prefix}-Reset", "").strip().partition(".")[0]
        if _NOTHING.fullmatch(left) and _SECONDS.fullmatch(reset):
            wait = _seconds(reset)
            if wait > _LONGEST_FRESHNESS:
                wait = datetime.fromtimestamp(wait.total_seconds(), UTC) - now
            return _within(wait, _LONGEST_RETRY_AFTER)
    return None


def hub(headers: MultiMapping[str], url: str) -> Hub | None:
    """Return the WebSub hub that `Link` headers name, if they name the topic too."""
    found = {
        rel.lower(): joined(url, target)
        for target, parameters in _LINK.findall(", ".join(headers.getall("Link", ())))
        for rel in _rels(parameters)
    }
    if "hub" not in found or "self" not in found:
        return None
    return Hub(url=found["hub"], topic=found["self"])


def withheld(headers: MultiMapping[str]) -> str | None:
    """Return the header by which a publisher keeps the page from language models, None if none does."""
    for name, keeps in _SIGNS:
        for value in headers.getall(name, ()):
            if keeps(value):
                return sign(f"{name}: {value}")
    return None


def _rels(parameters: str) -> list[str]:
    found = _REL.search(parameters)
    return (found[1] or found[2]).split() if found else []


def _cache_control(headers: MultiMapping[str]) -> str:
    return ", ".join(headers.getall("Cache-Control", ()))


def _sendable(value: str | None) -> str | None:
    if value is None or len(value) > _VALIDATOR_CHARACTERS:
        return None
    # Bytes that are no UTF-8 arrive as halves of characters, which neither the wire nor the store takes.
    return value if value.isprintable() and value else None


def _seconds(digits: str) -> timedelta:
    # More digits than a timedelta holds mean "very long" too.
    return timedelta(seconds=min(int(digits), 10**10))


def _until(value: str, now: datetime) -> timedelta | None:
    date = _date(value)
    return None if date is None else date - now


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _within(wait: timedelta, longest: timedelta) -> timedelta:
    return min(max(wait, timedelta(0)), longest)
