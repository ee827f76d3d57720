from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedmill.errors import SettingsError
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.runs import IngestionProgress, RunStep
from feedmill_cli.gateway.client import tell_failure
from feedmill_cli.gateway.progress import describe_counts, describe_step, ended
from feedmill_cli.gateway.sse import Message, MessageReader
from feedmill_cli.output import harmless
from feedmill_cli.settings import usual_folder
from feedmill_cli.stack.backoff import failures_in_a_row, seconds_before_restart
from feedmill_cli.stack.display import addresses, duration, sentence
from feedmill_cli.stack.ports import USUAL, choose_ports
from feedmill_cli.stack.state import PartState, PartStatus, Urls

HOME = Path("/home/ada")


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        pytest.param(1, 0.5, id="the first is soon"),
        pytest.param(2, 1.0, id="doubled"),
        pytest.param(6, 16.0, id="and again"),
        pytest.param(7, 30.0, id="never longer than this"),
        pytest.param(10_000, 30.0, id="however often"),
    ],
)
def test_a_part_that_keeps_ending_waits_longer(failures: int, seconds: float) -> None:
    assert seconds_before_restart(failures) == seconds


@pytest.mark.parametrize(
    ("before", "ready_seconds", "failures"),
    [
        pytest.param(0, 0.0, 1, id="the first end"),
        pytest.param(4, 59.9, 5, id="too short to count as health"),
        pytest.param(4, 60.0, 1, id="after a minute of health all is forgiven"),
    ],
)
def test_failures_in_a_row(before: int, ready_seconds: float, failures: int) -> None:
    assert failures_in_a_row(before, ready_seconds=ready_seconds) == failures


@pytest.mark.parametrize(
    ("former", "taken", "chosen"),
    [
        pytest.param({}, set(), {"gateway": 8420, "temporal": 7233}, id="the usual ones"),
        pytest.param({}, {8420, 8430}, {"gateway": 8440, "temporal": 7233}, id="the next free one"),
        pytest.param({"gateway": 8440}, set(), {"gateway": 8440}, id="kept from last time"),
        pytest.param({"gateway": 8440}, {8440}, {"gateway": 8420}, id="former one taken since"),
        pytest.param(
            {"gateway": 7233}, set(), {"gateway": 7233, "temporal": 7243}, id="never two on one"
        ),
    ],
)
def test_each_part_gets_a_port(
    former: Mapping[str, int], taken: set[int], chosen: Mapping[str, int]
) -> None:
    ports = choose_ports(former=former, asked={}, is_free=lambda port: port not in taken)

    assert ports == {**ports, **chosen}
    assert set(ports) == set(USUAL)
    assert len(set(ports.values())) == len(USUAL)


def test_fleets_on_one_machine_keep_apart_if_they_are_told_to() -> None:
    ports = [
        port
        for number in range(41)
        for port in choose_ports(
            former={}, asked={}, is_free=lambda _: True, fleet_number=number
        ).values()
    ]

    assert len(set(ports)) == 41 * len(USUAL)
    assert max(ports) < 32_768


def test_a_port_that_was_asked_for_is_used_or_named() -> None:
    chosen = choose_ports(former={"gateway": 8420}, asked={"gateway": 80}, is_free=lambda _: True)

    assert chosen["gateway"] == 80
    with pytest.raises(SettingsError, match="FEEDMILL_GATEWAY_PORT: somebody listens on 80"):
        choose_ports(former={}, asked={"gateway": 80}, is_free=lambda port: port != 80)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        pytest.param({}, HOME / ".local/share/feedmill", id="usual"),
        pytest.param({"XDG_DATA_HOME": "/var/ada"}, Path("/var/ada/feedmill"), id="XDG"),
        pytest.param({"XDG_DATA_HOME": "x"}, HOME / ".local/share/feedmill", id="XDG, relative"),
        pytest.param({"XDG_DATA_HOME": ""}, HOME / ".local/share/feedmill", id="XDG, empty"),
    ],
)
def test_everything_is_kept_in_one_place(environ: Mapping[str, str], folder: Path) -> None:
    assert usual_folder(environ, HOME) == folder


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min"), (7_199, "1 h"), (200_000, "2 d")],
)
def test_durations_are_said_briefly(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("part", "remark", "line"),
    [
        pytest.param(
            PartState(name="fetch", state=PartStatus.READY, pid=7, url="http://127.0.0.1:9402"),
            "",
            "fetch: ready (pid 7) http://127.0.0.1:9402",
            id="ready",
        ),
        pytest.param(
            PartState(name="fetch", state=PartStatus.STARTING, pid=7, url="http://127.0.0.1:9402"),
            "",
            "fetch: starting (pid 7)",
            id="nothing to open yet",
        ),
        pytest.param(
            PartState(name="fetch", state=PartStatus.RESTARTING),
            "ended with code 1; again in 2 s",
            "fetch: ended with code 1; again in 2 s",
            id="a remark says more than the state",
        ),
    ],
)
def test_a_line_about_a_part(part: PartState, remark: str, line: str) -> None:
    assert sentence(part, remark) == line


def test_every_address_has_its_line() -> None:
    urls = Urls(
        page="http://h:1",
        docs="http://h:1/docs",
        temporal_ui="http://h:2",
        metrics={"a": "x", "b": "y"},
    )

    assert addresses(urls, "http://h:1/?token=t") == [
        "Page         http://h:1/?token=t",
        "API docs     http://h:1/docs",
        "Temporal UI  http://h:2",
        "Metrics      x  a",
        "             y  b",
    ]
    assert addresses(Urls(page="p", docs="d"), "p") == ["Page         p", "API docs     d"]


@pytest.mark.parametrize(
    ("lines", "messages"),
    [
        pytest.param(
            ["event: run.progress", "data: {}", ""],
            [Message(event="run.progress", data="{}")],
            id="named",
        ),
        pytest.param(["data:x", ""], [Message(data="x")], id="the space is optional"),
        pytest.param(["data: a", "data:  b", ""], [Message(data="a\n b")], id="several lines"),
        pytest.param(
            ["event: a", "", "data: x", ""], [Message(data="x")], id="no data, no message"
        ),
        pytest.param([":ping", "", "data", ""], [Message(data="")], id="comment, bare field"),
        pytest.param(["data: cut off"], [], id="unfinished"),
        pytest.param(
            ["id: 7", "data: x", "", "data: y", ""],
            [Message(data="x", id="7"), Message(data="y", id="7")],
            id="an id holds until the next",
        ),
        pytest.param(["id: 7\0", "data: x", ""], [Message(data="x")], id="an id that is none"),
    ],
)
def test_event_streams_are_read_as_the_standard_says(
    lines: list[str], messages: list[Message]
) -> None:
    reader = MessageReader()

    read = [reader.feed(line) for line in lines]

    assert [message for message in read if message] == messages


def test_a_stream_says_when_to_come_back() -> None:
    reader = MessageReader()

    reader.feed("retry: soon")
    assert reader.retry_seconds is None

    reader.feed("retry: 1500")
    assert reader.retry_seconds == 1.5


def test_what_a_broken_connection_cut_off_is_dropped() -> None:
    reader = MessageReader()
    reader.feed("id: 3")
    reader.feed("event: run.finished")
    reader.feed("data: {half")

    reader.forget_unfinished()

    assert reader.feed("data: whole") is None
    assert reader.feed("") == Message(data="whole", id="3")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Küche & 台所", "Küche & 台所", id="letters stay"),
        pytest.param("\x1b[31mred\x07", "[31mred", id="terminal commands go"),
        pytest.param("a\x9b2Jb", "a2Jb", id="also the old ones"),
        pytest.param("gpj.\u202eexe", "gpj.exe", id="nothing is turned around"),
        pytest.param("two\nlines", "two\nlines", id="lines stay"),
    ],
)
def test_text_from_outside_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(
    ("reason", "detail", "advice", "told"),
    [
        pytest.param(
            "http_status",
            "404",
            None,
            f"http_status: 404\n{ADVICE[Reason.HTTP_STATUS]}",
            id="we know what helps",
        ),
        pytest.param(
            "too_odd", "why", "Do this.", "too_odd: why\nDo this.", id="the gateway knows"
        ),
        pytest.param("Not found", "", None, "Not found", id="nobody knows"),
    ],
)
def test_a_failure_comes_with_what_helps(
    reason: str, detail: str, advice: str | None, told: str
) -> None:
    assert tell_failure(reason, detail, advice) == told


def test_progress_in_words() -> None:
    progress = IngestionProgress(
        feed_id=1,
        step=RunStep.FETCHING,
        total=9,
        distilled=3,
        unavailable=2,
        undistillable=1,
        left=1,
    )

    assert describe_step(progress) == "fetching"
    assert (
        describe_counts(progress)
        == "3 of 9 entries distilled, 2 unavailable, 1 not distillable, 1 left for later"
    )
    assert ended(progress) == 6


def test_a_feed_without_news_is_said_to_have_none() -> None:
    assert describe_counts(IngestionProgress(feed_id=1)) == "nothing new"


def test_a_wait_says_for_whom_and_how_long() -> None:
    until = datetime(2026, 1, 31, 12, 30, 5, tzinfo=UTC)

    waiting = IngestionProgress(feed_id=1, step=RunStep.WAITING, waiting_until=until)

    assert describe_step(waiting) == f"waiting for the site until {until.astimezone():%H:%M}"
