"""What KEDA and the horizontal autoscaler make of a ScaledObject: the rules they document, as a function.

KEDA wakes a pool when more waits than `activationTargetQueueSize`, and lets it sleep when for
`cooldownPeriod` it did not. In between, the autoscaler wants one pod for every `targetQueueSize` tasks:
it ignores differences of a tenth, adds at most four pods or as many as there are in 15 s, and takes away
what was not wanted for the whole stabilisation window, as fast as the policies allow.
"""

import math
from dataclasses import dataclass, field

from lab.chart import Manifest

_TOLERANCE = 0.1
_SCALE_UP_SECONDS = 15
_SCALE_UP_PODS = 4


@dataclass(frozen=True)
class Limits:
    """What a ScaledObject says."""

    task_queue: str
    queue_types: tuple[str, ...]
    least: int
    most: int
    target: int
    activation: int
    every_seconds: float
    cooldown_seconds: float
    window_seconds: float
    down_percent: int
    down_seconds: float


def limits_of(scaled_object: Manifest) -> Limits:
    """Read a ScaledObject with one `temporal` trigger."""
    spec = scaled_object["spec"]
    (trigger,) = spec["triggers"]
    asked = trigger["metadata"]
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    (policy,) = behavior["policies"]
    return Limits(
        task_queue=asked["taskQueue"],
        queue_types=tuple(asked["queueTypes"].split(",")),
        least=spec["minReplicaCount"],
        most=spec["maxReplicaCount"],
        target=int(asked["targetQueueSize"]),
        activation=int(asked["activationTargetQueueSize"]),
        every_seconds=spec["pollingInterval"],
        cooldown_seconds=spec["cooldownPeriod"],
        window_seconds=behavior["stabilizationWindowSeconds"],
        down_percent=policy["value"],
        down_seconds=policy["periodSeconds"],
    )


@dataclass
class Scaler:
    """Decides again and again; remembers what it wanted and did."""

    limits: Limits
    _active_at: float | None = None
    _wanted: list[tuple[float, int]] = field(default_factory=list)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, now: float, pods: int, backlog: int) -> int:
        """Return how many pods there should be.

        Parameters
        ----------
        now
            Seconds on any clock that only goes forward.
        """
        limits = self.limits
        is_active = backlog > limits.activation
        if is_active:
            self._active_at = now
        if pods == 0:
            return max(1, limits.least) if is_active else limits.least
        if limits.least == 0 and not is_active and self._has_cooled_down(now):
            return 0
        wanted = self._stable(now, pods, self._by_backlog(pods, backlog))
        if wanted != pods:
            self._changes.append((now, wanted - pods))
        return wanted

    def _has_cooled_down(self, now: float) -> bool:
        return self._active_at is not None and now - self._active_at >= self.limits.cooldown_seconds

    def _by_backlog(self, pods: int, backlog: int) -> int:
        ratio = backlog / (self.limits.target * pods)
        wanted = pods if abs(ratio - 1) <= _TOLERANCE else math.ceil(backlog / self.limits.target)
        return max(1, self.limits.least, min(self.limits.most, wanted))

    def _stable(self, now: float, pods: int, wanted: int) -> int:
        window = self.limits.window_seconds
        self._wanted = [each for each in self._wanted if now - each[0] <= window] + [(now, wanted)]
        if wanted > pods:
            before = pods - self._changed(now, _SCALE_UP_SECONDS, up=True)
            return min(wanted, max(before + _SCALE_UP_PODS, 2 * before))
        highest = max(pods_ for _, pods_ in self._wanted)
        before = pods - self._changed(now, self.limits.down_seconds, up=False)
        allowed = math.floor(before * (1 - self.limits.down_percent / 100))
        return min(pods, max(wanted, highest, allowed))

    def _changed(self, now: float, seconds: float, *, up: bool) -> int:
        return sum(
            change for at, change in self._changes if now - at < seconds and (change > 0) is up
        )
