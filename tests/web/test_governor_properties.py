"""What holds whatever happens, in whichever order: checked over made-up histories of several workers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedmill.models.hosts import Admitted, HostLimit, Place
from feedmill.store import Store
from feedmill.web.manners import after_refusal
from support.clock import Clock

WORKERS = ("one", "two")
LOST_AFTER = timedelta(seconds=90)

_names = count()

moves = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(WORKERS), st.sampled_from("ab"), st.integers(1, 40)),
    st.tuples(st.just("answer"), st.sampled_from(WORKERS)),
    st.tuples(st.just("refuse"), st.sampled_from("ab"), st.integers(0, 300)),
    st.tuples(st.just("crash"), st.sampled_from(WORKERS)),
    st.tuples(st.just("wait"), st.floats(0.01, 120)),
)
limits = st.builds(
    HostLimit,
    host=st.just(""),
    spacing=st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(seconds=7.5)]),
    in_flight=st.integers(1, 3),
)


@dataclass
class Started:
    """One request: where, since when, and whether it is under way."""

    host: str
    at: datetime
    place: Place
    worker: str
    is_over: bool = False


@dataclass
class History:
    """What several workers did with hosts of their own, and what was ever wrong with that."""

    store: Store
    clock: Clock
    limit: HostLimit
    run: int
    requests: list[Started] = field(default_factory=list)
    held_until: dict[str, datetime] = field(default_factory=dict)

    def _limit(self, host: str) -> HostLimit:
        return self.limit.model_copy(update={"host": f"{host}{self.run}.example"})

    def _under_way(self, host: str, now: datetime) -> list[Started]:
        return [
            request
            for request in self.requests
            if request.host == host and not request.is_over and now < request.at + LOST_AFTER
        ]

    async def ask(self, worker: str, host: str, wanted: int) -> None:
        now = await self.clock.now()
        limit = self._limit(host)
        async with self.store.transaction() as tx:
            answer = (await tx.hosts.reserve({limit: wanted}))[limit.host]
        if not isinstance(answer, Admitted):
            assert answer.next_at > now
            return
        assert now >= self.held_until.get(host, now), "asked while held"
        earlier = [request.at for request in self.requests if request.host == host]
        assert not earlier or now - max(earlier) >= limit.spacing, "too soon after another"
        self.requests += [Started(host, now, place, worker) for place in answer.places]
        assert len(self._under_way(host, now)) <= limit.in_flight, "too many at once"
        assert limit.spacing == timedelta(0) or len(answer.places) == 1

    async def answer(self, worker: str) -> None:
        now = await self.clock.now()
        ended = [each for each in self.requests if each.worker == worker and not each.is_over]
        async with self.store.transaction() as tx:
            await tx.hosts.give_back(
                [each.place.model_copy(update={"started_ago": now - each.at}) for each in ended]
            )
        for each in ended:
            each.is_over = True

    async def refuse(self, host: str, asked: int) -> None:
        async with self.store.transaction() as tx:
            state = await tx.hosts.lock(self._limit(host).host)
            now = await tx.now()
            state = after_refusal(state, now=now, asked=timedelta(seconds=asked), luck=0)
            await tx.hosts.keep(state)
        assert state.held_until is not None
        assert state.held_until >= now + timedelta(seconds=asked)
        self.held_until[host] = max(state.held_until, self.held_until.get(host, now))

    async def crash(self, worker: str) -> None:
        """Forget everything: places stay taken until they are lost."""
        for each in self.requests:
            if each.worker == worker and not each.is_over:
                each.worker = "dead"

    async def wait(self, seconds: float) -> None:
        await self.clock.advance(timedelta(seconds=seconds))


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start()


@given(limit=limits, story=st.lists(moves, min_size=5, max_size=40))
@settings(
    max_examples=60,
    deadline=None,
    # Each story has hosts of its own, and time only ever passes.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_no_history_breaks_the_manners(
    store: Store, clock: Clock, limit: HostLimit, story: list[tuple[str, ...]]
) -> None:
    history = History(store, clock, limit, next(_names))

    for name, *arguments in story:
        await getattr(history, name)(*arguments)


@given(backlog=st.integers(100, 500), limit=limits)
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_one_hosts_backlog_never_delays_anothers_few(
    store: Store, clock: Clock, backlog: int, limit: HostLimit
) -> None:
    run = next(_names)
    busy, quiet = (
        limit.model_copy(update={"host": f"{name}{run}.example"}) for name in ("busy", "quiet")
    )

    served = 0
    for _ in range(10):
        async with store.transaction() as tx:
            answers = await tx.hosts.reserve({busy: backlog, quiet: 10 - served})
            answer = answers[quiet.host]
            assert isinstance(answer, Admitted)
            await tx.hosts.give_back(answer.places)
        served += len(answer.places)
        await clock.advance(max(limit.spacing, timedelta(seconds=1)))
        if served == 10:
            break

    assert served == 10
