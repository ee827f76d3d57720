"""What was asked, and what of it was impolite. Pure; times come in, in seconds."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Manners:
    """What the pollers were told to keep, and what is not held against them.

    Attributes
    ----------
    tolerance_seconds
        A request leaves when its slot comes and arrives when a busy machine lets it: one that was held
        up makes the next one seem early by as much.
    reaction_seconds
        What was on its way before a poller could hear of a 429.
    """

    spacing_seconds: float = 0.0
    in_flight: int = 2
    tolerance_seconds: float = 0.025
    reaction_seconds: float = 0.1


@dataclass
class _Host:
    due_at: float = 0.0
    held_from: float = 0.0
    held_until: float = 0.0
    in_flight: int = 0


@dataclass
class Record:
    """One poller's behaviour, as the sites saw it."""

    manners: Manners = field(default_factory=Manners)
    requests: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    earliest_seconds: float = 0.0
    _hosts: dict[str, _Host] = field(default_factory=dict)
    _asked: dict[int, float] = field(default_factory=dict)
    _done: set[int] = field(default_factory=set)
    _known: set[int] = field(default_factory=set)

    @property
    def feeds_asked(self) -> int:
        return len(self._asked)

    def begin_pass(self, manners: Manners) -> None:
        """Count from nothing. Who has been given validators, and who was told to wait, stays known."""
        self.manners = manners
        self.requests = 0
        self.violations = Counter()
        self.statuses = Counter()
        self.earliest_seconds = 0.0
        self._asked = {}
        self._done = set()

    def arrived(self, host: str, feed: int, at: float, *, conditional: bool) -> None:
        """Note a request for a feed."""
        self.requests += 1
        self._judge_pace(self._hosts.setdefault(host, _Host()), at)
        if feed in self._done:
            self.violations["asked twice in a pass"] += 1
        self._done.add(feed)
        self._asked.setdefault(feed, at)
        if feed in self._known and not conditional:
            self.violations["unconditional again"] += 1

    def answered(
        self, host: str, feed: int, at: float, status: str, *, wait_seconds: float = 0.0
    ) -> None:
        """Note how the request was answered."""
        state = self._hosts[host]
        state.in_flight -= 1
        self.statuses[status] += 1
        if status == "200":
            self._known.add(feed)
        if wait_seconds:
            # Who was told when to come again may come again.
            self._done.discard(feed)
            state.held_from = at + self.manners.reaction_seconds
            state.held_until = at + wait_seconds

    def seconds_until(self, feeds: int) -> float | None:
        """Return how long after the first request so many feeds had been asked; None if they were not."""
        times = sorted(self._asked.values())
        return times[feeds - 1] - times[0] if 0 < feeds <= len(times) else None

    def _judge_pace(self, host: _Host, at: float) -> None:
        """Compare with the earliest time that the spacing allows; being early once earns nothing later."""
        manners = self.manners
        early = host.due_at - at
        if early > manners.tolerance_seconds:
            self.violations["sooner than the spacing"] += 1
        self.earliest_seconds = max(self.earliest_seconds, early)
        host.due_at = max(at, host.due_at) + manners.spacing_seconds
        if host.held_from < at < host.held_until - manners.tolerance_seconds:
            self.violations["before Retry-After"] += 1
        if host.in_flight >= manners.in_flight:
            self.violations["too many at once"] += 1
        host.in_flight += 1
