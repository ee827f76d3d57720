"""How long an endpoint wants us to wait, by what it says with an answer or a refusal. Pure."""

import re
from collections.abc import Mapping
from datetime import timedelta

# A provider's day is the longest that any of them counts in.
_LONGEST = timedelta(days=1)
_STRIKE_OUT = timedelta(minutes=1)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def hold_after_answer(headers: Mapping[str, str], tokens: int) -> timedelta | None:
    """Return how long nobody should ask after an answer, None when there is room for another call.

    Parameters
    ----------
    headers
        The answer's, with lower-case names: `x-ratelimit-remaining-…` and `…-reset-…` for requests
        and for tokens.
    tokens
        What the next call may use.
    """
    waits = [_refill(headers, "requests", 1), _refill(headers, "tokens", tokens)]
    return max((wait for wait in waits if wait), default=None)


def hold_after_refusal(headers: Mapping[str, str], tokens: int, strikes: int) -> timedelta:
    """Return how long nobody should ask after a 429 without `Retry-After`.

    Where nothing says so, twice as long with each refusal in a row, up to a minute.
    """
    said = hold_after_answer(headers, tokens)
    return said or min(timedelta(seconds=2 ** min(strikes, 6)), _STRIKE_OUT)


def _refill(headers: Mapping[str, str], what: str, need: int) -> timedelta | None:
    left = _number(headers.get(f"x-ratelimit-remaining-{what}"))
    reset = _duration(headers.get(f"x-ratelimit-reset-{what}", ""))
    if left is None or reset is None or left >= need:
        return None
    limit = _number(headers.get(f"x-ratelimit-limit-{what}"))
    # A budget fills little by little; `reset` says when it would be full again.
    share = 1.0 if not limit or limit <= left else min(1.0, (need - left) / (limit - left))
    return min(reset * share, _LONGEST)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,12}", text) else None


def _duration(text: str) -> timedelta | None:
    """Read `6m0s`, `120ms`, `1.5s`, or a bare number of seconds."""
    if not re.fullmatch(rf"(?:{_PART.pattern})+", text) or len(text) > len("9999d23h59m59.999s"):
        return None
    seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in _PART.findall(text))
    return min(timedelta(seconds=min(seconds, 1e6)), _LONGEST)
