import io
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from feedmill.models.runs import IngestionProgress, RunStep
from feedmill_cli.gateway.progress import ProgressBar, ProgressLines, Silence, open_progress
from feedmill_cli.output import PatientFile, open_console
from feedmill_cli.stack.display import Lines, LiveTable, open_display
from feedmill_cli.stack.state import PartState, PartStatus, Urls, page_to_show

LONG = "Page         http://127.0.0.1:8420/?token=" + "t" * 60


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=60, color_system=None)


def shown_on(where: Console) -> str:
    assert isinstance(where.file, io.StringIO)
    return where.file.getvalue()


def part(state: PartStatus) -> PartState:
    pid = 7 if state in {PartStatus.STARTING, PartStatus.READY} else None
    return PartState(name="fetch", state=state, pid=pid, url="http://127.0.0.1:9402")


def test_off_a_terminal_each_change_is_a_line() -> None:
    where = console(terminal=False)
    with open_display(where) as display:
        for state in (
            PartStatus.WAITING,
            PartStatus.STARTING,
            PartStatus.STARTING,
            PartStatus.READY,
        ):
            display.changed(part(state), "")
        display.changed(part(PartStatus.RESTARTING), "ended with code 1; again in 0.5 s")
        display.say(LONG)

    assert isinstance(display, Lines)
    assert shown_on(where).splitlines() == [
        "fetch: starting (pid 7)",
        "fetch: ready (pid 7) http://127.0.0.1:9402",
        "fetch: ended with code 1; again in 0.5 s",
        LONG,
    ]


def test_on_a_terminal_a_table_shows_how_everything_stands() -> None:
    where = console(terminal=True)
    with open_display(where) as display:
        display.changed(part(PartStatus.STARTING), "")
        display.changed(part(PartStatus.READY), "")
        display.say(LONG)

    assert isinstance(display, LiveTable)
    table = [line.split() for line in shown_on(where).replace("\x1b[?25h", "").splitlines()]
    assert table[-1] == ["fetch", "ready", "7", "0", "s", "http://127.0.0.1:9402"]
    assert any(cells[-5:] == ["part", "state", "pid", "for", "address"] for cells in table)
    assert LONG in shown_on(where)


def test_a_file_is_no_terminal_whatever_colours_are_wished_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    with open_display(open_console()) as display:
        display.say("Everything is kept")

    assert not display.is_terminal
    assert capsys.readouterr().out == "Everything is kept\n"


@pytest.mark.parametrize(
    ("terminal", "page"),
    [
        (True, "http://h:1/?token=secret"),
        (False, "http://h:1 (`feedmill status` shows the address that signs in)"),
    ],
)
def test_the_token_is_for_terminals_alone(*, terminal: bool, page: str) -> None:
    display = open_display(console(terminal=terminal))

    urls = Urls(page="http://h:1", docs="d")

    assert page_to_show(urls, "secret", terminal=display.is_terminal) == page


def test_brackets_in_a_line_are_no_markup() -> None:
    where = console(terminal=False)

    Lines(where).say("postgres: ended ([bold]FATAL[/])")

    assert shown_on(where) == "postgres: ended ([bold]FATAL[/])\n"


def test_progress_off_a_terminal_is_a_line_per_change() -> None:
    where = console(terminal=False)
    with open_progress(where, as_json=False) as display:
        for distilled in (0, 0, 2):
            display.show(
                IngestionProgress(feed_id=1, step=RunStep.DISTILLING, total=2, distilled=distilled)
            )

    assert isinstance(display, ProgressLines)
    assert shown_on(where).splitlines() == [
        "distilling: 0 of 2 entries distilled",
        "distilling: 2 of 2 entries distilled",
    ]


def test_progress_on_a_terminal_is_a_bar() -> None:
    where = console(terminal=True)
    with open_progress(where, as_json=False) as display:
        assert isinstance(display, ProgressBar)
        display.show(IngestionProgress(feed_id=1, step=RunStep.FETCHING, total=4, unavailable=1))
        display._progress.refresh()

    assert "fetching" in shown_on(where)
    assert "1/4" in shown_on(where)


def test_programs_are_shown_no_progress() -> None:
    where = console(terminal=True)
    with open_progress(where, as_json=True) as display:
        display.show(IngestionProgress(feed_id=1))

    assert isinstance(display, Silence)
    assert shown_on(where) == ""


@pytest.fixture
def closed_pipe() -> PatientFile:
    """A stream that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    return PatientFile(os.fdopen(writer, "w"))


def test_a_reader_who_leaves_ends_nothing(closed_pipe: PatientFile) -> None:
    for _ in range(3):
        closed_pipe.write("x" * 20_000)
        closed_pipe.flush()

    assert not closed_pipe.isatty()
    assert Path(f"/proc/self/fd/{closed_pipe.fileno()}").readlink() == Path(os.devnull)
    closed_pipe._stream.close()


def test_a_stream_that_is_read_is_written_to(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        file = PatientFile(stream)

        assert file.write("text") == 4
        file.flush()

        assert (tmp_path / "out").read_text() == "text"
    assert PatientFile(sys.__stdout__ or stream).fileno() == 1
