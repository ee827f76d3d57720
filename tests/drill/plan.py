"""What is killed, and when. Pure; the same seed gives the same plan."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

PARTS = ("ingestion", "fetch", "distillation", "orchestrator", "gateway", "temporal", "postgres")


@dataclass(frozen=True, order=True)
class Kill:
    """One kill -9.

    Attributes
    ----------
    after_seconds
        From the beginning of the journey on.
    part
        Of the fleet.
    """

    after_seconds: float
    part: str


def plan_kills(seed: int, journey: int, *, kills: int, seconds: float) -> Sequence[Kill]:
    """Return the kills of a journey in their order: every part at least once, if there are enough.

    Parameters
    ----------
    seconds
        All happen within them. A journey takes longer, the more so as it is disturbed.
    """
    luck = random.Random(f"{seed}/{journey}")
    parts = luck.sample(PARTS, len(PARTS)) + luck.choices(PARTS, k=max(0, kills - len(PARTS)))
    return sorted(Kill(luck.uniform(0, seconds), part) for part in parts[:kills])
