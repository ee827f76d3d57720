"""Which entries of one poll are the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill.models.feeds import SnapshotEntry
from feedmill_ingestion.identity import guid_of, told_apart

MAY = datetime(2025, 5, 1, tzinfo=UTC)
PAGE = "https://x.example/"


def shown(
    guid: str, url: str | None = PAGE, title: str = "T", *, day: int | None = 0, text: str = ""
) -> SnapshotEntry:
    published_at = None if day is None else MAY + timedelta(days=day)
    return SnapshotEntry(guid=guid, url=url, title=title, published_at=published_at, teaser=text)


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
