"""robots.txt, asked for before the pages of an origin. Feeds are not governed by it: a person chose them."""

import asyncio
import time
from collections import OrderedDict
from datetime import timedelta
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.web.answers import Answer, Deferred, Refusal, Reply
from feedmill.web.charsets import decode_text
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.web.robots_rules import RobotsRules, our_rules, read_rules

_ACCEPT = "text/plain, */*;q=0.1"
# As much as RFC 9309 asks crawlers to read (2.5); what comes after it is nobody's rule.
_MAX_BYTES = 512_000

_FRESH = timedelta(hours=24)
# For so long an old copy stands in for one that cannot be had (RFC 9309, 2.3.1.4).
_OLDEST = timedelta(days=30)

# In this process. The store has them longer, and so do other workers.
_REMEMBERED_SECONDS = 60.0
_REFUSAL_SECONDS = 600.0
_REMEMBERED = 1_000

_OK = 200
_SERVER_ERRORS = range(500, 600)


class Robots:
    """Knows what may be asked for. One per process."""

    def __init__(self, store: Store, web: WebClient, governor: Governor) -> None:
        self._store = store
        self._web = web
        self._governor = governor
        self._memory: OrderedDict[str, tuple[float, RobotsRules | Refusal]] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def permit(self, url: str) -> Refusal | Deferred | None:
        """Return None if a URL may be asked for, else why not, or when to come back.

        An origin that cannot say forbids everything (RFC 9309, 2.3.1.4), for the reason it has.
        """
        origin = _origin(url)
        rules = await self._rules(origin)
        if not isinstance(rules, RobotsRules):
            return rules
        if rules.allows(url):
            return None
        return Refusal(reason=Reason.ROBOTS_DISALLOWED, detail=f"{origin}/robots.txt")

    async def withheld(self, url: str) -> str | None:
        """Return the sign by which an origin's robots.txt keeps it from models, None without one."""
        rules = await self._rules(_origin(url))
        return rules.withheld if isinstance(rules, RobotsRules) else None

    async def _rules(self, origin: str) -> RobotsRules | Refusal | Deferred:
        # Whoever comes while another asks waits for that answer.
        async with self._locks.setdefault(origin, asyncio.Lock()):
            return self._remembered(origin) or await self._look_up(origin)

    def _remembered(self, origin: str) -> RobotsRules | Refusal | None:
        until, rules = self._memory.get(origin, (0.0, None))
        return rules if time.monotonic() < until else None

    async def _look_up(self, origin: str) -> RobotsRules | Refusal | Deferred:
        async with self._store.transaction() as tx:
            stored = await tx.robots.get(origin)
        if stored is not None and stored.age < _FRESH:
            return await self._read(origin, stored.rules)
        answered = await self._ask(origin)
        if isinstance(answered, str):
            return await self._keep(origin, answered)
        if isinstance(answered, Refusal):
            if stored is not None and stored.age < _OLDEST:
                return await self._read(origin, stored.rules)
            self._remember(origin, answered, _REFUSAL_SECONDS)
        return answered

    async def _ask(self, origin: str) -> str | Refusal | Deferred:
        reply = await self._web.get(
            f"{origin}/robots.txt",
            purpose="robots",
            accept=_ACCEPT,
            max_bytes=_MAX_BYTES,
            whole=False,
            admit=self._governor.slot,
        )
        if isinstance(reply, Answer):
            until = await self._governor.heed(reply)
            if until is not None and reply.asks_for_time:
                return Deferred(until=until)
        # Half a megabyte of rules is a second of CPU.
        return await asyncio.to_thread(answered_rules, reply)

    async def _keep(self, origin: str, text: str) -> RobotsRules:
        async with self._store.transaction() as tx:
            await tx.robots.save(origin, text)
        rules = await self._read(origin, text)
        await self._governor.heed_crawl_delay(origin, rules.crawl_delay)
        return rules

    async def _read(self, origin: str, text: str) -> RobotsRules:
        rules = await asyncio.to_thread(read_rules, text)
        self._remember(origin, rules, _REMEMBERED_SECONDS)
        return rules

    def _remember(self, origin: str, rules: RobotsRules | Refusal, seconds: float) -> None:
        self._memory[origin] = (time.monotonic() + seconds, rules)
        self._memory.move_to_end(origin)
        if len(self._memory) > _REMEMBERED:
            self._memory.popitem(last=False)


def answered_rules(reply: Reply) -> str | Refusal | Deferred:
    """Return the rules that a reply to a request for robots.txt amounts to. Pure."""
    if isinstance(reply, Deferred):
        return reply
    if isinstance(reply, Refusal):
        if reply.reason is Reason.TOO_MANY_REDIRECTS:
            return our_rules("")
        return Refusal(reason=reply.reason, detail=f"robots.txt: {reply.detail}")
    if reply.status in _SERVER_ERRORS:
        return Refusal(reason=Reason.SITE_BROKEN, detail=f"robots.txt: {reply.status}")
    # Whoever has none forbids nothing; nor does who will not show it.
    return our_rules(decode_text(reply.body, "utf-8") if reply.status == _OK else "")


def _origin(url: str) -> str:
    scheme, host = urlsplit(url)[:2]
    return f"{scheme}://{host}".lower()
