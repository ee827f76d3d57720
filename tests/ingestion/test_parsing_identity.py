"""Which entries are the same, within one poll and from poll to poll."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill.models.feeds import KnownEntry, SnapshotEntry
from feedmill_ingestion.identity import guid_of, really_new, told_apart

MAY = datetime(2025, 5, 1, tzinfo=UTC)
PAGE = "https://x.example/"


def shown(
    guid: str, url: str | None = PAGE, title: str = "T", *, day: int | None = 0, text: str = ""
) -> SnapshotEntry:
    published_at = None if day is None else MAY + timedelta(days=day)
    return SnapshotEntry(guid=guid, url=url, title=title, published_at=published_at, teaser=text)


def known(entry: SnapshotEntry) -> KnownEntry:
    return KnownEntry.model_validate(entry.model_dump())


@pytest.mark.parametrize(
    ("entries", "guids"),
    [
        pytest.param([shown("a"), shown("b")], ["a", "b"], id="as it should be"),
        pytest.param([shown("a", title="new"), shown("a", title="new")], ["a"], id="shown twice"),
        pytest.param([shown("a"), shown("a", title="")], ["a"], id="once without a title"),
        pytest.param(
            [shown("a", f"{PAGE}1"), shown("a", f"{PAGE}2"), shown("b")],
            [f"a {PAGE}1", f"a {PAGE}2", "b"],
            id="one guid for several links",
        ),
        pytest.param(
            [shown("a", f"{PAGE}1"), shown("a", None)], [f"a {PAGE}1", "a "], id="or for none"
        ),
        pytest.param(
            [shown("a", title="one"), shown("a", title="two"), shown("a", title="one")],
            ["a one", "a two"],
            id="one guid and link for several titles",
        ),
        pytest.param(
            [shown("a", None, "one"), shown("a", None, "two")],
            ["a one", "a two"],
            id="one guid for several titles without a link",
        ),
        pytest.param(
            [shown("a", None, "", text="one"), shown("a", None, "", text="two")],
            ["a one", "a two"],
            id="one guid for several texts without a title",
        ),
        pytest.param(
            [shown("a", f"{PAGE}1", "one"), shown("a", f"{PAGE}2", "two"), shown("a", f"{PAGE}2")],
            [f"a {PAGE}1", f"a {PAGE}2 two", f"a {PAGE}2 T"],
            id="one guid for everything",
        ),
    ],
)
def test_entries_of_one_poll(entries: list[SnapshotEntry], guids: list[str]) -> None:
    assert [entry.guid for entry in told_apart(entries)] == guids


entries_of_few_values = st.lists(
    st.builds(
        shown,
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, f"{PAGE}1", f"{PAGE}2"]),
        st.sampled_from(["", "one", "two", "t" * 2_000]),
        text=st.sampled_from(["", "text"]),
    )
)


@given(entries_of_few_values)
def test_guids_are_unique_and_no_title_is_lost(entries: list[SnapshotEntry]) -> None:
    apart = told_apart(entries)

    assert len({entry.guid for entry in apart}) == len(apart)
    assert {entry.title for entry in apart} | {""} == {entry.title for entry in entries} | {""}
    assert all(len(entry.guid.encode()) <= 1_000 for entry in apart)


@given(entries_of_few_values)
def test_identities_do_not_depend_on_the_order(entries: list[SnapshotEntry]) -> None:
    forwards, backwards = told_apart(entries), told_apart(list(reversed(entries)))

    assert {entry.guid for entry in forwards} == {entry.guid for entry in backwards}


@pytest.mark.parametrize(("text", "is_kept"), [("a" * 1_000, True), ("ü" * 501, False)])
def test_an_endless_guid_is_hashed(text: str, is_kept: bool) -> None:
    guid = guid_of(text)

    assert (guid == text) is is_kept
    assert is_kept or len(guid) == len("sha256:") + 64


@pytest.mark.parametrize(
    ("stored", "polled", "new"),
    [
        pytest.param([], [shown("a"), shown("b")], ["a", "b"], id="the first poll"),
        pytest.param([shown("a")], [shown("a", title="U")], [], id="a new title"),
        pytest.param([shown("a")], [shown("b", f"{PAGE}2", "U"), shown("a")], ["b"], id="news"),
        pytest.param([shown("a")], [shown("a2")], [], id="another guid, and nothing else"),
        pytest.param(
            [shown("a", day=None)], [shown("a2", day=None)], [], id="the same, without dates"
        ),
        pytest.param(
            [shown("a", day=None)], [shown("a2", day=5)], [], id="the same, and now with a date"
        ),
        pytest.param(
            [shown("a", text="t")],
            [shown("a2", day=1, text="t")],
            [],
            id="a guid and a date, made up",
        ),
        pytest.param(
            [shown("a", f"{PAGE}1"), shown("b", f"{PAGE}2")],
            [shown("a2", f"{PAGE}1", day=9, text="1 h ago"), shown("b2", f"{PAGE}2", day=9)],
            [],
            id="all guids and dates at once",
        ),
        pytest.param(
            [shown("a", f"{PAGE}1"), shown("b", f"{PAGE}2")],
            [shown("c2", f"{PAGE}3"), shown("a2", f"{PAGE}1"), shown("b2", f"{PAGE}2")],
            ["c2"],
            id="all guids at once, and news",
        ),
        pytest.param(
            [shown("a", title="Comic"), shown("b", title="Comic", day=1)],
            [shown("c", title="Comic", day=2), shown("b", title="Comic", day=1)],
            ["c"],
            id="a column with one title and one link",
        ),
        pytest.param(
            [shown("a", title="Comic")],
            [shown("b", title="Comic", day=1)],
            ["b"],
            id="a column that shows one entry at a time",
        ),
        pytest.param(
            [shown("a", title="Done"), shown("b", title="Done", day=1)],
            [shown("c", title="Done", day=2), shown("d", title="Done", day=3)],
            ["c", "d"],
            id="a log with one title, all of it since the last poll",
        ),
        pytest.param(
            [shown("a", None, "Done", day=None)],
            [shown("b", None, "Done", day=None)],
            ["b"],
            id="a log without links and dates",
        ),
        pytest.param(
            [shown("a", None, "", text="Done", day=None)],
            [shown("b", None, "", text="Done", day=None)],
            [],
            id="the same text, and nothing else",
        ),
        pytest.param(
            [shown("a", None, "", day=None)],
            [shown("b", None, "", day=None)],
            ["b"],
            id="nothing to tell it by",
        ),
        pytest.param(
            [shown("sha256:1", None, "T", text="with an eror")],
            [shown("sha256:2", None, "T", text="with an error")],
            [],
            id="an entry without guid and link, corrected",
        ),
        pytest.param(
            [shown("a", f"{PAGE}1")],
            [shown(f"a {PAGE}1", f"{PAGE}1"), shown(f"a {PAGE}2", f"{PAGE}2")],
            [f"a {PAGE}2"],
            id="a guid that turned out to be everybody's",
        ),
        pytest.param(
            [shown("a", f"{PAGE}1"), shown("b", f"{PAGE}1", "U")],
            [shown("a", f"{PAGE}1"), shown("c", f"{PAGE}1", "T", day=1)],
            ["c"],
            id="a second one like it, while the first is shown",
        ),
        pytest.param([shown("a")], [shown("a"), shown("b")], ["b"], id="its twin beside it"),
    ],
)
def test_what_is_really_new(
    stored: list[SnapshotEntry], polled: list[SnapshotEntry], new: list[str]
) -> None:
    assert [entry.guid for entry in really_new(polled, [known(e) for e in stored])] == new


def stored_after(polls: Sequence[Sequence[SnapshotEntry]]) -> list[SnapshotEntry]:
    stored: list[SnapshotEntry] = []
    for poll in polls:
        stored += really_new(told_apart(poll), [known(entry) for entry in stored])
    return stored


def by_session(number: int, poll: int) -> SnapshotEntry:
    return shown(f"{PAGE}{number}?session={poll}", f"{PAGE}{number}", f"Entry {number}", day=number)


def by_the_clock(number: int, poll: int) -> SnapshotEntry:
    return shown(f"{poll}/{number}", f"{PAGE}{number}", f"Entry {number}", day=100 + poll)


def by_one_guid(number: int, poll: int) -> SnapshotEntry:
    return shown(PAGE, PAGE, f"Entry {number}", day=number)


def by_text_alone(number: int, poll: int) -> SnapshotEntry:
    return shown(f"{poll}/{number}", None, "", day=None, text=f"Entry {number}")


@pytest.mark.parametrize("entry", [by_session, by_the_clock, by_one_guid, by_text_alone])
@pytest.mark.parametrize("each_poll", [0, 1, 3])
def test_a_feed_with_useless_guids_neither_floods_nor_collapses(
    entry: Callable[[int, int], SnapshotEntry], each_poll: int
) -> None:
    polls = [
        [entry(number, poll) for number in range(poll * each_poll, 10 + poll * each_poll)]
        for poll in range(20)
    ]

    stored = stored_after(polls)

    assert [said.title or said.teaser for said in stored] == [
        f"Entry {number}" for number in range(10 + 19 * each_poll)
    ]
