"""What every call passes: the pool's pace, the day's ceiling, and the drafts of earlier calls."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple, Protocol

from feedmill.errors import BudgetSpentError, ModelUnavailableError
from feedmill.models.base import Model
from feedmill.models.spending import NANOS, Ceilings, Payer, Reservation, Spent, Usage
from feedmill.store import Store
from feedmill.store.till import Draft, Entrant, Kept, Later
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import MODEL_COST, MODEL_UNPRICED_CALLS
from feedmill_distillation.completions import Completion
from feedmill_distillation.dialect import Dialect
from feedmill_distillation.prices import Price
from feedmill_distillation.refusals import HeldError, TextRefused

log = get_logger(__name__)

# Shorter waits are sat out here; longer ones give the slot back to Temporal.
_WORTH_WAITING = timedelta(seconds=30)
_MINUTE = timedelta(minutes=1)


class PlannedCall(Model):
    """A call about to be made."""

    key: str
    content_hash: str
    payer: Payer
    prompt_tokens: int
    answer_tokens: int


class Paid(NamedTuple):
    """An answer, and what it used."""

    completion: Completion
    used: Usage


Ask = Callable[[], Awaitable[Completion | TextRefused]]


class Till(Protocol):
    async def pay(self, call: PlannedCall, ask: Ask) -> Paid | TextRefused: ...


class Pace(Model):
    """The most that all workers together ask of the endpoint in a minute; None: what it bears."""

    requests: float | None = None
    tokens: float | None = None

    def share(self, requests: int, tokens: int) -> timedelta:
        """Return how long the pace allows nothing else beside so much."""
        by_requests = _MINUTE * requests / self.requests if self.requests else timedelta(0)
        by_tokens = _MINUTE * tokens / self.tokens if self.tokens else timedelta(0)
        return max(by_requests, by_tokens, key=abs)


class FreeTill:
    """Lets every call pass and remembers none: for trying a model out."""

    async def pay(
        self,
        call: PlannedCall,  # noqa: ARG002 - a port's method
        ask: Ask,
    ) -> Paid | TextRefused:
        """Make the call."""
        answer = await ask()
        return answer if isinstance(answer, TextRefused) else Paid(answer, _used(answer, None))


class StoreTill:
    """The till of one model of one endpoint, shared by all workers through the store.

    Parameters
    ----------
    places
        How many calls this worker makes at once, whatever else it has at hand.
    """

    def __init__(
        self,
        store: Store,
        endpoint: str,
        *,
        price: Price | None,
        ceilings: Ceilings,
        pace: Pace,
        places: asyncio.Semaphore,
    ) -> None:
        self._places = places
        self._refusal: HeldError | None = None
        self._refused_until = 0.0
        self._store = store
        self._endpoint = endpoint
        self._price = price
        self._ceilings = ceilings
        self._pace = pace
        self._has_said = price is not None

    async def known(self) -> tuple[Dialect, bool]:
        """Return how the endpoint is asked, and whether it ever answered."""
        async with self._store.statement() as tx:
            known = await tx.endpoints.known(self._endpoint)
        return Dialect.model_validate(known.dialect or {}), known.has_answered

    async def learn(self, dialect: Dialect) -> None:
        """Tell all workers how the endpoint was asked when it answered."""
        async with self._store.statement() as tx:
            await tx.endpoints.learn(self._endpoint, dialect.model_dump(mode="json"))

    async def pay(self, call: PlannedCall, ask: Ask) -> Paid | TextRefused:
        """Make a call as soon as it may be made, unless it was made before.

        Raises
        ------
        BudgetSpentError
            Today there is no room for it.
        ModelUnavailableError
            The endpoint, or the pace, wants more time than is worth waiting here.
        """
        while True:
            entered = await self._enter(call)
            if isinstance(entered, Paid):
                return entered
            if isinstance(entered, Reservation):
                return await self._in_place(call, entered, ask)
            await _sit_out(entered)

    async def _enter(self, call: PlannedCall) -> Paid | Reservation | Later:
        share = self._pace.share(1, call.prompt_tokens + call.answer_tokens)
        entrant = Entrant(call.key, self._endpoint, share, self._most(call))
        async with self._store.statement() as tx:
            entered = await tx.till.enter(entrant, self._ceilings)
        if isinstance(entered, Spent):
            raise BudgetSpentError("today's budget is spent", until=entered.until)
        return _redeemed(entered) if isinstance(entered, Draft) else entered

    async def _in_place(
        self, call: PlannedCall, reservation: Reservation, ask: Ask
    ) -> Paid | TextRefused:
        try:
            await self._places.acquire()
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(reservation, call))
            raise
        # Until it is settled: what a killed worker loses is what is in flight, no more.
        try:
            return await self._make(call, reservation, ask)
        finally:
            self._places.release()

    async def _make(
        self, call: PlannedCall, reservation: Reservation, ask: Ask
    ) -> Paid | TextRefused:
        try:
            self._check_refusal()
            answer = await ask()
        except HeldError as error:
            await self._hold(error, call)
            await self._give_back(reservation, call)
            raise ModelUnavailableError(str(error), retry_after=error.retry_after) from None
        except BaseException:
            # Cancelled, lost or timed out: nobody says what it cost.
            await asyncio.shield(self._give_back(reservation, call))
            raise
        if isinstance(answer, TextRefused):
            await self._give_back(reservation, call)
            return answer
        return await self._settle(call, reservation, answer)

    async def _settle(
        self, call: PlannedCall, reservation: Reservation, answer: Completion
    ) -> Paid:
        used = _used(answer, self._price)
        unused = used.tokens - call.prompt_tokens - call.answer_tokens
        kept = Kept(call.key, call.content_hash, answer.model_dump(mode="json"))
        # One statement: what is paid for is kept, and what is kept is paid for.
        async with self._store.statement() as tx:
            await tx.till.settle(reservation, used, call.payer, kept)
        if self._pace.tokens:
            async with self._store.statement() as tx:
                await tx.endpoints.correct(self._endpoint, self._pace.share(0, unused))
        if answer.hold:
            async with self._store.statement() as tx:
                await tx.endpoints.hold(self._endpoint, answer.hold, "its rate limit is used up")
        self._say_unpriced(call.payer)
        _count(used)
        return Paid(answer, used)

    def _check_refusal(self) -> None:
        """Let nobody ask who waited for a place while somebody else was refused."""
        left = self._refused_until - time.monotonic()
        if self._refusal is not None and left > 0:
            raise ModelUnavailableError(str(self._refusal), retry_after=timedelta(seconds=left))

    async def _hold(self, error: HeldError, call: PlannedCall) -> None:
        async with self._store.transaction() as tx:
            strikes = await tx.endpoints.strikes(self._endpoint)
            error.decide(call.prompt_tokens + call.answer_tokens, strikes)
            await tx.endpoints.hold(self._endpoint, error.wait, str(error), strike=error.is_strike)
        self._refusal = error
        self._refused_until = time.monotonic() + error.wait.total_seconds()

    async def _give_back(self, reservation: Reservation, call: PlannedCall) -> None:
        async with self._store.statement() as tx:
            await tx.till.settle(reservation, Usage(), call.payer)

    def _say_unpriced(self, payer: Payer) -> None:
        if not self._has_said:
            log.warning("price unknown", model=payer.model)
        self._has_said = True

    def _most(self, call: PlannedCall) -> Usage:
        prompt, answer = call.prompt_tokens, call.answer_tokens
        cost = self._price.nanos(prompt, answer) if self._price else None
        return Usage(prompt_tokens=prompt, completion_tokens=answer, cost_nanos=cost)


async def _sit_out(later: Later) -> None:
    if later.held_for or later.wait > _WORTH_WAITING:
        why = later.held_for or "the pace that is set leaves no room"
        raise ModelUnavailableError(why, retry_after=later.wait)
    await asyncio.sleep(later.wait.total_seconds())


def _redeemed(draft: Draft) -> Paid:
    completion = Completion.model_validate(draft.completion)
    used = _used(completion, None)
    return Paid(completion, used.model_copy(update={"cost_nanos": draft.cost_nanos}))


def _used(completion: Completion, price: Price | None) -> Usage:
    usage = completion.used
    prompt, answer = usage.prompt_tokens, usage.completion_tokens
    cost = price.nanos(prompt, answer) if price else None
    return Usage(calls=1, prompt_tokens=prompt, completion_tokens=answer, cost_nanos=cost)


def _count(used: Usage) -> None:
    if used.cost_nanos is None:
        MODEL_UNPRICED_CALLS.inc()
    else:
        MODEL_COST.inc(used.cost_nanos / NANOS)
