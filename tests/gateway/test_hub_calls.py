"""What is answered to hubs: a table for each rule."""

import hashlib
import hmac
from datetime import timedelta

import pytest
from starlette.datastructures import QueryParams

from feedmill.models.hubs import HubState, HubSubscription
from feedmill_gateway.hub_calls import HubCall, after_call, is_signed, read_call, takes_pushes
from support.clock import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TOPIC = "https://a.example/feed?a=b&c=%20"


def subscription(**known: object) -> HubSubscription:
    """Return one whose hub was asked a minute ago and has not confirmed yet."""
    return HubSubscription.model_validate(
        {
            "feed_id": 7,
            "hub_url": "https://hub.example/",
            "topic_url": TOPIC,
            "token": "t",
            "secret": "s",
            "asked_at": NOON - MINUTE,
            "renew_at": NOON + HOUR,
            "failures": 3,
            **known,
        }
    )


def call(mode: str = "subscribe", topic: str = TOPIC, **said: object) -> HubCall:
    return HubCall.model_validate({"mode": mode, "topic": topic, "challenge": "c", **said})


def after(known: HubSubscription, said: HubCall) -> HubSubscription | None:
    return after_call(known, said, now=NOON)


def test_what_we_have_asked_for_is_confirmed_with_what_the_hub_promises() -> None:
    known = subscription(state=HubState.SILENT, missed=2, detail="http_status 500")

    assert after(known, call(lease=10 * DAY)) == subscription(
        state=HubState.ACTIVE,
        promised_until=NOON + 10 * DAY,
        renew_at=NOON + 10 * DAY * 2 / 3,
        failures=0,
    )


@pytest.mark.parametrize(
    ("lease", "lasts", "asked_in"),
    [
        pytest.param(10 * DAY, 10 * DAY, 10 * DAY * 2 / 3, id="a third before its end"),
        pytest.param(14 * DAY, 14 * DAY, 14 * DAY * 2 / 3, id="the longest"),
        pytest.param(365 * DAY, 14 * DAY, 14 * DAY * 2 / 3, id="longer is not believed"),
        pytest.param(timedelta(seconds=10**11), 14 * DAY, 14 * DAY * 2 / 3, id="nor for ever"),
        pytest.param(2.5 * DAY, 2.5 * DAY, 1.5 * DAY, id="a day before its end"),
        pytest.param(DAY, DAY, 12 * HOUR, id="a short one, in the middle"),
        pytest.param(2 * HOUR, 2 * HOUR, HOUR, id="a very short one"),
        pytest.param(MINUTE, MINUTE, HOUR, id="one that is not worth it"),
        pytest.param(None, DAY, 12 * HOUR, id="it does not say"),
    ],
)
def test_hubs_are_asked_again_before_their_promise_ends(
    lease: timedelta | None, lasts: timedelta, asked_in: timedelta
) -> None:
    promised = after(subscription(), call(lease=lease))

    assert promised is not None
    assert (promised.promised_until, promised.renew_at) == (NOON + lasts, NOON + asked_in)


PROMISED = {"state": HubState.ACTIVE, "promised_until": NOON + DAY, "failures": 0}
LEAVING = {"state": HubState.LEAVING, "promised_until": NOON + DAY, "failures": 1}


@pytest.mark.parametrize(
    ("known", "said"),
    [
        pytest.param({}, call(topic=TOPIC.upper()), id="another topic"),
        pytest.param({}, call(topic=TOPIC.replace("%20", " ")), id="the topic spelt differently"),
        pytest.param({}, call("unsubscribe"), id="to leave, and we do not"),
        pytest.param(PROMISED, call("unsubscribe"), id="to leave what works"),
        pytest.param({}, call("publish"), id="something unheard of"),
        pytest.param({}, call(challenge=""), id="without a challenge"),
        pytest.param({"asked_at": None}, call(), id="what nobody has asked for"),
        pytest.param({"asked_at": None}, call("denied"), id="denied, but nobody has asked"),
        pytest.param({"asked_at": NOON - 25 * HOUR}, call(), id="what was asked for days ago"),
        pytest.param(PROMISED | {"promised_until": NOON}, call(), id="its promise is over"),
        pytest.param(LEAVING, call(), id="to stay, and we leave"),
        pytest.param(LEAVING | {"asked_at": NOON - 25 * HOUR}, call("unsubscribe"), id="left long"),
        pytest.param(LEAVING, call("unsubscribe", topic="x"), id="to leave another topic"),
    ],
)
def test_what_we_do_not_mean_is_refused(known: dict[str, object], said: HubCall) -> None:
    assert after(subscription(**known), said) is None


@pytest.mark.parametrize("state", [HubState.ACTIVE, HubState.SILENT])
@pytest.mark.parametrize("asked_at", [NOON - MINUTE, NOON - 5 * DAY])
def test_what_is_promised_is_confirmed_again_but_lasts_no_longer(
    state: HubState, asked_at: object
) -> None:
    known = subscription(**PROMISED | {"state": state, "asked_at": asked_at})

    assert after(known, call(lease=10 * DAY)) == known


def test_a_hub_that_lets_us_go_is_done_with() -> None:
    known = subscription(**LEAVING)

    for said in (call("unsubscribe"), call("denied")):
        assert after(known, said) == known.model_copy(update={"renew_at": NOON})


@pytest.mark.parametrize("known", [{}, PROMISED, {"state": HubState.REFUSED}])
def test_a_hub_that_denies_is_left_alone_for_a_month(known: dict[str, object]) -> None:
    denied = after(subscription(**known), call("denied", reason="no\x00 room\n" + "x" * 500))

    assert denied is not None
    assert denied == subscription(
        **known
        | {
            "state": HubState.REFUSED,
            "detail": denied.detail,
            "promised_until": None,
            "renew_at": NOON + 30 * DAY,
        }
    )
    assert denied.detail.startswith("denied no  room x")
    assert len(denied.detail) == 200


@pytest.mark.parametrize(
    ("query", "read"),
    [
        pytest.param(
            "hub.mode=subscribe&hub.topic=http%3A%2F%2Fa%2F%3Fb%3D%2520&hub.challenge=%2Bx%20y&hub.lease_seconds=60",
            HubCall(mode="subscribe", topic="http://a/?b=%20", challenge="+x y", lease=MINUTE),
            id="a question",
        ),
        pytest.param(
            "hub.topic=t&hub.mode=denied&hub.reason=no&extra=1",
            HubCall(mode="denied", topic="t", reason="no"),
            id="a denial",
        ),
        pytest.param("hub.mode=subscribe&hub.challenge=c", None, id="about nothing"),
        pytest.param("hub.topic=t&hub.challenge=c", None, id="nothing asked"),
        pytest.param("hub.mode=subscribe&hub.topic=t&hub.topic=u", None, id="about two things"),
        pytest.param("hub.mode=subscribe&hub.mode=denied&hub.topic=t", None, id="two questions"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_query_is_read(query: str, read: HubCall | None) -> None:
    assert read_call(QueryParams(query)) == read


@pytest.mark.parametrize(
    ("seconds", "lease"),
    [
        pytest.param("86400", DAY, id="a day"),
        pytest.param("9" * 5_000, timedelta(seconds=10**12 - 1), id="for ever"),
        pytest.param("0", None, id="no time at all"),
        pytest.param("-5", None, id="less than that"),
        pytest.param("1e9", None, id="no number"),
        pytest.param("٣", None, id="no number of ours"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_lease_is_read(seconds: str, lease: timedelta | None) -> None:
    read = read_call(
        QueryParams({"hub.mode": "subscribe", "hub.topic": "t", "hub.lease_seconds": seconds})
    )

    assert read is not None
    assert read.lease == lease


BODY = "<rss>é</rss>".encode()


def signed(method: str, secret: str = "key", body: bytes = BODY) -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


@pytest.mark.parametrize(
    ("signatures", "expected"),
    [
        pytest.param([signed("sha1")], True, id="sha1"),
        pytest.param([signed("sha256")], True, id="sha256"),
        pytest.param([signed("sha384")], True, id="sha384"),
        pytest.param([signed("sha512")], True, id="sha512"),
        pytest.param([signed("sha256").upper()], True, id="in capitals"),
        pytest.param([signed("sha1", "x"), signed("sha256")], True, id="one of two"),
        pytest.param([signed("sha256", "other")], False, id="by somebody else"),
        pytest.param([signed("sha256", body=b"other")], False, id="of something else"),
        pytest.param([signed("md5")], False, id="with what can be broken"),
        pytest.param([f"none={'0' * 64}"], False, id="with nothing"),
        pytest.param([f"sha256={hashlib.sha256(BODY).hexdigest()}"], False, id="without the key"),
        pytest.param([signed("sha256")[:-1]], False, id="cut"),
        pytest.param(["sha256="], False, id="empty"),
        pytest.param(["sha256"], False, id="no signature"),
        pytest.param(["sha256=é\x00"], False, id="no text"),
        pytest.param([], False, id="none"),
    ],
)
def test_a_signature_is_right_or_wrong(signatures: list[str], expected: bool) -> None:
    assert is_signed(BODY, signatures, "key") is expected


@pytest.mark.parametrize("state", HubState)
def test_only_who_has_promised_may_push(state: HubState) -> None:
    expected = state in {HubState.ACTIVE, HubState.SILENT}

    assert takes_pushes(subscription(state=state)) is expected
