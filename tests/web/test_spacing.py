from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from feedmill.models.hosts import HostLimit
from feedmill.store import Store
from feedmill.web.governor import Governor
from feedmill.web.spacing import SpacingWatch
from support import manners


def limit(host: str = "news.example", seconds: float = 10) -> HostLimit:
    return HostLimit(host=host, spacing=timedelta(seconds=seconds), in_flight=1)


def counted() -> float:
    return REGISTRY.get_sample_value("feedmill_spacing_violations_total") or 0


@pytest.mark.parametrize(
    ("starts", "due"),
    [
        pytest.param([(0, limit())], [True], id="the first one"),
        pytest.param([(0, limit()), (10, limit())], [True, True], id="well spaced"),
        pytest.param([(0, limit()), (8, limit())], [True, True], id="a little early"),
        pytest.param([(0, limit()), (7, limit())], [True, False], id="too soon"),
        pytest.param([(0, limit()), (0, limit("b"))], [True, True], id="another host"),
        pytest.param([(0, limit()), (0, limit(seconds=0))], [True, True], id="spaced no more"),
        pytest.param([(0, limit(seconds=1)), (2, limit())], [True, True], id="spaced more now"),
        pytest.param(
            [(0, limit()), (1, limit()), (2, limit())], [True, False, False], id="again and again"
        ),
    ],
)
def test_requests_are_held_against_their_spacing(
    starts: list[tuple[float, HostLimit]], due: list[bool]
) -> None:
    watch, before = SpacingWatch(), counted()

    assert [watch.started(limit_, at) for at, limit_ in starts] == due
    assert counted() - before == due.count(False)


def test_hosts_asked_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedmill.web.spacing._HOSTS", 2)
    watch = SpacingWatch()
    for host in ("a", "b", "c"):
        watch.started(limit(host), 0)

    assert watch.started(limit("a"), 0)
    assert not watch.started(limit("c"), 0)


async def test_what_the_governor_lets_is_watched(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    governor: Governor = manners.governor_of(store, timedelta(seconds=0.3), in_flight=1)
    watched: list[tuple[str, float]] = []
    monkeypatch.setattr(
        governor._watch, "started", lambda limit_, at: watched.append((limit_.host, at))
    )

    for _ in range(2):
        async with governor.slot("https://news.example/feed"):
            pass

    assert [host for host, _ in watched] == ["news.example"] * 2
    assert watched[1][1] - watched[0][1] >= 0.2
