"""What a host's refusals teach, and what counts as one host. Pure; the clock and chance come in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from publicsuffixlist import PublicSuffixList

from feedmill.config import WebSettings
from feedmill.models.hosts import HostLimit, HostState
from feedmill.web.addresses import host_of as host_of
from feedmill.web.addresses import literal_address

# "Retry-After: 0" beside a 429 is a contradiction, and a loop for whoever obeys it.
_LEAST_HOLD = timedelta(minutes=1)
_LONGEST_HOLD = timedelta(hours=6)
# By how much chance makes a hold longer at the most.
_SPREAD = 0.2
# 2 ** 20 minutes are two years; more would only overflow.
_DOUBLINGS = 20
# A refusal so soon after the last hold ended says that the hold was too short.
_SAME_QUARREL = timedelta(hours=1)

_LONGEST_SPACING = timedelta(hours=1)
# Limits are counted by the host's clock, from when requests reach it.
_MARGIN = 1.05
_STEP = 1.5

ALL_DOMAINS = "*"


class Manners:
    """Which requests count as to one host, and how often a host is asked.

    Parameters
    ----------
    usual
        For every host without an exception; its `host` says nothing.
    groups
        Domains whose hosts count as one; `*` stands for every registrable domain.
    exceptions
        Limits of hosts or groups by name.
    """

    def __init__(
        self,
        usual: HostLimit,
        groups: Sequence[str] = (),
        exceptions: Mapping[str, HostLimit] | None = None,
    ) -> None:
        self._usual = usual
        self._groups = frozenset(groups)
        self._exceptions = exceptions or {}

    def limit(self, url: str) -> HostLimit:
        """Return how often the host of a URL may be asked. URLs as `check_url` returns them."""
        host = self._group(host_of(url))
        found = self._exceptions.get(host)
        return found or self._usual.model_copy(update={"host": host})

    def _group(self, host: str) -> str:
        if not self._groups or literal_address(host.partition(":")[0]) is not None:
            return host
        labels = host.split(".")
        parents = (".".join(labels[start:]) for start in range(len(labels)))
        named = next((parent for parent in parents if parent in self._groups), None)
        if named is None and ALL_DOMAINS in self._groups:
            return _registrable_domain(host)
        return named or host


def after_refusal(
    state: HostState, *, now: datetime, asked: timedelta | None, luck: float
) -> HostState:
    """Return what is to be remembered of a host that asked for fewer requests.

    It is held for as long as it asked, or else twice as long as the last time. From how many
    requests it bore before, its limit is guessed, and kept to from now on.

    Parameters
    ----------
    asked
        How long it wants to be left alone, if it said so.
    luck
        From 0 to 1: spreads those who come back.
    """
    # Several requests were in flight: their refusals are one.
    known = state.held_until is not None and state.held_until > now
    strikes = state.strikes if known else _strikes(state, now)
    hold = _hold(asked, strikes)
    until = max(now + hold * (1 + luck * _SPREAD), state.held_until or now)
    learnt = state.learnt_spacing if known else _learnt(state, now, hold)
    return state.model_copy(
        update={
            "held_until": until,
            "next_free_at": max(until, state.next_free_at),
            "strikes": strikes,
            "learnt_spacing": learnt,
            "learnt_at": now,
            "window_started_at": None,
            "window_requests": 0,
        }
    )


def after_spending(state: HostState, *, now: datetime, wait: timedelta) -> HostState:
    """Return what is to be remembered of a host that has no requests left for us for `wait`."""
    until = max(now + wait, state.held_until or now)
    return state.model_copy(
        update={"held_until": until, "next_free_at": max(until, state.next_free_at)}
    )


def _strikes(state: HostState, now: datetime) -> int:
    is_recent = state.held_until is not None and now < state.held_until + _SAME_QUARREL
    return state.strikes + 1 if is_recent else 1


def _hold(asked: timedelta | None, strikes: int) -> timedelta:
    if asked is not None:
        return max(asked, _LEAST_HOLD)
    doubled: timedelta = _LEAST_HOLD * 2 ** min(strikes - 1, _DOUBLINGS)
    return min(doubled, _LONGEST_HOLD)


def _learnt(state: HostState, now: datetime, hold: timedelta) -> timedelta:
    since = now - (state.window_started_at or now)
    borne = max(state.window_requests - max(state.busy, 1), 1)
    guess = (since + hold) / borne * _MARGIN
    if state.learnt_spacing is not None:
        # What was learnt before did not do.
        guess = max(guess, state.learnt_spacing * _STEP)
    return min(guess, _LONGEST_SPACING)


@cache
def _suffixes() -> PublicSuffixList:
    # Without the platforms' own suffixes: what one of them hosts is one machine room.
    return PublicSuffixList(only_icann=True)


def _registrable_domain(host: str) -> str:
    return _suffixes().privatesuffix(host) or host


def manners_of(settings: WebSettings) -> Manners:
    """Return the manners that an installation's settings ask for."""
    usual = HostLimit(
        host="",
        spacing=timedelta(seconds=settings.host_spacing_seconds),
        in_flight=settings.host_in_flight,
    )
    exceptions = {limit.host: limit for limit in settings.host_exceptions}
    return Manners(usual, settings.host_groups, exceptions)
