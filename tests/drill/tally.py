"""What a drill adds up to. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# A request leaves when its slot comes and arrives when a busy machine lets it: one that was held up
# makes the next one seem early by as much.
TOLERANCE_SECONDS = 0.05


@dataclass
class Tally:
    """All journeys so far.

    Attributes
    ----------
    ended
        Entries by their end: `distilled`, or a reason.
    lost
        Entries that came to no end in time, or ended without a reason.
    repeated_pages, repeated_calls
        What was asked for again, of a site and of the model: each may have been in flight when its
        worker was killed.
    calls_in_flight
        How many calls may have been, over all kills.
    too_soon
        Requests that came to a host before its spacing allowed.
    """

    journeys: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    repeated_pages: int = 0
    repeated_calls: int = 0
    calls_in_flight: int = 0
    too_soon: int = 0

    @property
    def passed(self) -> bool:
        paid_twice = self.repeated_calls > self.calls_in_flight
        return not (self.lost or self.too_soon or paid_twice)

    def line(self, seed: int, seconds: float) -> str:
        """Return everything in one line."""
        ends = ", ".join(f"{number} {end}" for end, number in self.ended.most_common())
        killed = ", ".join(f"{part} {number}" for part, number in sorted(self.kills.items()))
        return (
            f"drill {'passed' if self.passed else 'FAILED'}: seed {seed}, {self.journeys} journeys, "
            f"{self.ended.total() + self.lost} entries: {ends or 'none ended'}, {self.lost} lost; "
            f"{self.kills.total()} kills ({killed}); {self.repeated_pages} pages asked for again, "
            f"{self.too_soon} requests too soon; {self.repeated_calls} of {self.calls_in_flight} "
            f"calls in flight paid twice; {seconds:.0f} s"
        )


def repeats(asked: Iterable[str]) -> int:
    """Return how many of these came before."""
    return sum(times - 1 for times in Counter(asked).values())


def too_soon(moments: Mapping[str, Sequence[float]], spacing_seconds: float) -> int:
    """Return how many requests came before their host's spacing allowed.

    Being early once earns nothing later: each request is due a spacing after the one before was due.
    """
    return sum(_early(each, spacing_seconds) for each in moments.values())


def _early(moments: Sequence[float], spacing_seconds: float) -> int:
    early, due = 0, float("-inf")
    for moment in moments:
        early += moment < due - TOLERANCE_SECONDS
        due = max(moment, due) + spacing_seconds
    return early
