from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest

from feedmill.models.feeds import Hub
from feedmill.models.hubs import DueSubscription, HubState, HubSubscription
from feedmill.models.outcomes import Reason
from feedmill_ingestion.polls import Failed, Postponed, TurnedAway
from feedmill_ingestion.promises import (
    Accepted,
    HubAnswer,
    after_answer,
    asked_now,
    form_for,
    words_of,
)
from support.clock import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HUB = Hub(url="https://hub.example/", topic="https://a.example/feed")
OTHER = Hub(url="https://other.example/", topic="https://a.example/feed")
PROMISED = {"state": HubState.ACTIVE, "promised_until": NOON + 3 * DAY}


def due(offered: Hub | None = HUB, **known: object) -> DueSubscription:
    return DueSubscription.model_validate(
        {
            "feed_id": 7,
            "hub_url": HUB.url,
            "topic_url": HUB.topic,
            "token": "old token",
            "secret": "old secret",
            "renew_at": NOON,
            "offered": offered,
            **known,
        }
    )


def fresh() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"fresh {next(numbers)}"


def ask(known: DueSubscription) -> HubSubscription:
    asked = asked_now(known, now=NOON, fresh=fresh())
    assert asked is not None
    return asked


def test_asking_counts_as_failed_until_the_hub_confirms() -> None:
    asked = ask(due(detail="http_status 500"))

    assert asked == due(detail="", asked_at=NOON, failures=1, renew_at=NOON + HOUR)


@pytest.mark.parametrize(
    ("known", "detail"),
    [
        pytest.param({}, "", id="nothing is known"),
        pytest.param({"failures": 1}, "not confirmed", id="it said nothing"),
        pytest.param({"failures": 2, "detail": "not confirmed"}, "not confirmed", id="nor then"),
        pytest.param({"failures": 1, "detail": "http_status 500"}, "", id="it said something"),
        pytest.param({"failures": 0, "detail": "not confirmed"}, "", id="nobody has asked since"),
    ],
)
def test_a_hub_that_took_a_request_and_said_nothing_is_called_so(
    known: dict[str, object], detail: str
) -> None:
    assert ask(due(**known)).detail == detail


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        pytest.param(0, HOUR, id="an hour to confirm"),
        pytest.param(1, 2 * HOUR, id="twice as long"),
        pytest.param(4, 16 * HOUR, id="and again"),
        pytest.param(8, 7 * DAY, id="but at least once a week"),
        pytest.param(10_000, 7 * DAY, id="for ever"),
    ],
)
def test_a_hub_that_does_not_confirm_is_asked_ever_less_often(
    failures: int, wait: timedelta
) -> None:
    assert ask(due(failures=failures)).renew_at == NOON + wait


@pytest.mark.parametrize("state", [HubState.ACTIVE, HubState.SILENT])
def test_a_promise_goes_on_while_it_is_renewed(state: HubState) -> None:
    known = due(**PROMISED | {"state": state, "missed": 1})

    asked = ask(known)

    assert (asked.state, asked.promised_until, asked.token, asked.secret, asked.missed) == (
        state,
        NOON + 3 * DAY,
        "old token",
        "old secret",
        1,
    )


@pytest.mark.parametrize(
    ("state", "promised_until"),
    [
        pytest.param(HubState.ACTIVE, NOON, id="it lapsed"),
        pytest.param(HubState.SILENT, NOON - DAY, id="silent, and it lapsed"),
        pytest.param(HubState.REFUSED, None, id="refused"),
        pytest.param(HubState.ASKED, None, id="not confirmed"),
    ],
)
def test_without_a_promise_it_is_asked_for_from_the_beginning(
    state: HubState, promised_until: object
) -> None:
    assert ask(due(state=state, promised_until=promised_until)).state is HubState.ASKED


@pytest.mark.parametrize("offered", [pytest.param(None, id="none"), pytest.param(OTHER, id="new")])
def test_a_hub_that_has_promised_is_asked_to_stop_first(offered: Hub | None) -> None:
    leaving = ask(due(offered, **PROMISED | {"failures": 5}))

    assert (leaving.state, leaving.hub, leaving.token) == (HubState.LEAVING, HUB, "old token")
    assert (leaving.failures, leaving.renew_at) == (1, NOON + HOUR)


LEFT = {"state": HubState.LEAVING, "failures": 1}
REFUSED = {"state": HubState.REFUSED}
LAPSED = {"state": HubState.ACTIVE, "promised_until": NOON}


@pytest.mark.parametrize(
    ("known", "offered"),
    [
        pytest.param(LEFT, None, id="it was asked to stop"),
        pytest.param(LEFT, OTHER, id="it was asked to stop, and there is another"),
        pytest.param(LEFT, HUB, id="it was asked to stop, and is named again"),
        pytest.param(REFUSED, None, id="it never promised"),
        pytest.param(REFUSED, OTHER, id="it never promised, and there is another"),
        pytest.param(LAPSED, None, id="its promise is over"),
        pytest.param(LAPSED, OTHER, id="its promise is over, and there is another"),
    ],
)
def test_afterwards_nothing_is_left_of_it(known: dict[str, object], offered: Hub | None) -> None:
    asked = asked_now(due(offered, **known), now=NOON, fresh=fresh())

    anew = offered and HubSubscription(
        feed_id=7,
        hub_url=offered.url,
        topic_url=offered.topic,
        token="fresh 1",
        secret="fresh 2",
        asked_at=NOON,
        failures=1,
        renew_at=NOON + HOUR,
    )
    assert asked == anew


def test_a_hub_that_could_not_be_asked_to_stop_is_asked_again() -> None:
    postponed = due(None, state=HubState.LEAVING, promised_until=NOON + DAY, failures=0)

    assert ask(postponed).state is HubState.LEAVING


def test_a_form_asks_for_ten_days_and_for_signatures() -> None:
    assert form_for(ask(due()), "https://me.example/websub/t") == {
        "hub.callback": "https://me.example/websub/t",
        "hub.mode": "subscribe",
        "hub.topic": HUB.topic,
        "hub.verify": "async",
        "hub.lease_seconds": "864000",
        "hub.secret": "old secret",
    }


def test_a_form_that_asks_to_stop_gives_no_secret_away() -> None:
    assert form_for(ask(due(OTHER, **PROMISED)), "https://me.example/websub/t") == {
        "hub.callback": "https://me.example/websub/t",
        "hub.mode": "unsubscribe",
        "hub.topic": HUB.topic,
        "hub.verify": "async",
    }


FAILED = Failed(reason=Reason.HTTP_STATUS, detail="500")
LATER = NOON + 5 * HOUR


@pytest.mark.parametrize(
    ("known", "answer", "changes"),
    [
        pytest.param({}, Accepted(), {}, id="it will confirm"),
        pytest.param({}, Postponed(until=LATER), {"failures": 0, "renew_at": LATER}, id="not yet"),
        pytest.param(
            {}, FAILED, {"state": HubState.REFUSED, "detail": "http_status 500"}, id="it fails"
        ),
        pytest.param(PROMISED, FAILED, {"detail": "http_status 500"}, id="its promise goes on"),
        pytest.param(
            PROMISED | {"promised_until": NOON},
            FAILED,
            {"state": HubState.REFUSED, "detail": "http_status 500"},
            id="its promise is over",
        ),
        pytest.param(
            {},
            TurnedAway(until=LATER, detail="429"),
            {"state": HubState.REFUSED, "detail": "rate_limited 429", "renew_at": LATER},
            id="it wants time",
        ),
        pytest.param(
            {},
            TurnedAway(until=NOON + timedelta(minutes=1), detail="429"),
            {"state": HubState.REFUSED, "detail": "rate_limited 429"},
            id="it wants less time than we give it",
        ),
        pytest.param({"failures": 0}, FAILED, {}, id="it has confirmed already"),
        pytest.param({"asked_at": NOON + HOUR}, FAILED, {}, id="it was asked again since"),
        pytest.param(
            {"state": HubState.LEAVING}, FAILED, {"renew_at": NOON}, id="it does not let us go"
        ),
        pytest.param({"state": HubState.LEAVING}, Accepted(), {}, id="it lets us go"),
    ],
)
def test_what_follows_from_a_hubs_answer(
    known: dict[str, object], answer: HubAnswer, changes: dict[str, object]
) -> None:
    asked = ask(due())
    stored = asked.model_copy(update=known)

    after = after_answer(stored, answer, asked=asked, now=NOON)

    assert after == stored.model_copy(update=changes)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(Accepted(), "accepted", id="accepted"),
        pytest.param(Postponed(until=NOON), "deferred", id="deferred"),
        pytest.param(FAILED, "http_status 500", id="with detail"),
        pytest.param(Failed(reason=Reason.TIMED_OUT), "timed_out", id="without"),
        pytest.param(TurnedAway(until=NOON, detail="503"), "rate_limited 503", id="wants time"),
    ],
)
def test_an_answer_has_a_name(answer: HubAnswer, words: str) -> None:
    assert words_of(answer) == words
