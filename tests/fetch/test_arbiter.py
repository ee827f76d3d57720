"""Whom the arbiter believes, and when."""

from collections.abc import Iterable

import pytest

from feedmill_fetch.arbiter import Panel, Ruling, arbitrate
from feedmill_fetch.candidates import Candidate
from feedmill_fetch.lines import Line, words_of

CORE = [
    f"Paragraph {n} of the article tells of the {thing}, at some length and to the point."
    for n, thing in enumerate(["mill", "river", "miller", "stones", "grain", "wind", "bread"])
]
TEASER_OF_FOUR = "of the article tells of the grain, at some length and to the point"
LONG = (
    "This is a paragraph that only one of the two has found, although it is long enough by far "
    "to be prose and ends, as prose does, with a full stop."
)
OTHER = [
    f"Elsewhere on this page, part {n}, something else is told of {thing} that nobody asked for."
    for n, thing in enumerate(["cats", "dogs", "birds", "mice", "cows", "bees", "ants", "eels"])
]


def line(text: str, **facts: object) -> Line:
    return Line(text, words_of(text), **facts)  # type: ignore[arg-type]


def candidate(lines: Iterable[str | Line]) -> Candidate:
    return Candidate(each if isinstance(each, Line) else line(each) for each in lines)


def rule(
    reader: Iterable[str | Line],
    rival: Iterable[str | Line],
    *,
    witness: Iterable[str | Line] = (),
    referee: Iterable[str | Line] | None = None,
    titles: tuple[str, ...] = (),
    teaser: str = "",
) -> Ruling:
    def asked() -> Candidate:
        assert referee is not None, "nobody was at odds"
        return candidate(referee)

    panel = Panel(candidate(reader), candidate(rival), candidate(witness), asked)
    return arbitrate(panel, titles=titles, teaser=teaser)


def texts(ruling: Ruling) -> list[str]:
    return [each.text for each in ruling.lines]


def test_a_line_needs_both() -> None:
    reader = ["Menu of the day", *CORE, "More from elsewhere today"]
    rival = ["Something short", *CORE, "Another short one"]

    ruling = rule(reader, rival, witness=[*reader, *rival])

    assert texts(ruling) == CORE
    assert ruling.places == tuple(range(1, 8))
    assert ruling.shared == 1


def test_lines_are_the_readers_where_the_rival_has_them_in_other_words() -> None:
    rival = [f"{one} Read" for one in CORE[:3]] + [" ".join(CORE[3:])]

    assert texts(rule(CORE, rival)) == CORE


def test_long_prose_that_the_reader_view_lost_comes_back_where_it_stands() -> None:
    ruling = rule(CORE, [*CORE[:2], LONG, *CORE[2:]], witness=[LONG])

    assert texts(ruling) == [*CORE[:2], LONG, *CORE[2:]]
    assert ruling.places == (0, 1, None, 2, 3, 4, 5, 6)


def test_nobody_is_believed_alone() -> None:
    assert texts(rule(CORE, [*CORE, LONG])) == CORE
    assert texts(rule([*CORE, LONG], CORE, witness=[LONG])) == CORE


def test_a_reader_view_that_missed_a_part_gets_it_back() -> None:
    short = ["Wind and water", "turn the stones"]

    ruling = rule(CORE[:4], [*CORE[:4], *short, *CORE[4:]], witness=[*short, *CORE])

    assert texts(ruling) == [*CORE[:4], *short, *CORE[4:]]
    assert 0.5 < ruling.shared < 1


def test_a_rival_that_missed_most_is_not_followed() -> None:
    reader = [*CORE[:2], "not prose", *CORE[2:]]

    assert texts(rule(reader, CORE[:2], witness=reader)) == CORE


def test_a_rival_that_found_nothing_is_not_asked() -> None:
    reader = [*CORE, "286 for a mill"]

    assert texts(rule(reader, [], witness=reader)) == reader


def test_a_reader_view_of_nothing_leaves_it_to_the_rival() -> None:
    ruling = rule([], [*CORE, "not on the page"], witness=CORE)

    assert texts(ruling) == CORE
    assert ruling.shared == 0


def test_where_they_are_at_odds_the_referee_decides() -> None:
    ruling = rule(OTHER, CORE[:1], witness=[*CORE, *OTHER[:1]], referee=[*CORE, "made up by it"])

    assert texts(ruling) == CORE
    assert set(ruling.places) == {None}


def test_the_feeds_words_keep_a_line_that_the_rival_has_not() -> None:
    lead = "Mills have ground grain for two thousand years, and some of them still do it."

    assert texts(rule([lead, *CORE], CORE, teaser=f"{lead} More")) == [lead, *CORE]
    assert texts(rule([lead, *CORE], CORE)) == CORE


def test_the_feeds_words_lead_to_whoever_found_them() -> None:
    teaser = " ".join(CORE[:2])

    assert texts(rule(OTHER, OTHER, witness=CORE, teaser=teaser)) == CORE
    assert texts(rule(OTHER, OTHER, witness=CORE)) == OTHER
    assert texts(rule(OTHER, OTHER, witness=CORE, teaser="Paragraph 0 of the article")) == OTHER


def test_words_that_are_nowhere_lead_nowhere() -> None:
    teaser = "An editor wrote this about mills, in words of her own that the article does not use."

    assert texts(rule(CORE, CORE, witness=OTHER, teaser=teaser)) == CORE


def test_a_repetition_is_left_out() -> None:
    quote = "the article tells of the grain, at some length and to the"

    assert texts(rule([quote, *CORE], CORE)) == CORE
    assert texts(rule([*CORE, CORE[0]], CORE)) == CORE
    assert texts(rule([*CORE, CORE[0]], [*CORE, CORE[0]])) == [*CORE, CORE[0]]


def test_what_stands_below_a_picture_is_not_the_text() -> None:
    caption = line("A mill, seen from the river in spring", caption=True)

    assert texts(rule([caption, *CORE], [caption, *CORE])) == CORE


def test_the_headline_is_not_the_text() -> None:
    reader = ["Mills GRIND, all day", *CORE]

    assert texts(rule(reader, reader, titles=("Mills grind all day", ""))) == CORE
    assert texts(rule(reader, reader)) == reader


@pytest.mark.parametrize(
    ("text", "facts", "kept"),
    [
        ("How the mill came to be", {"linked": 1.0}, False),
        ("How the mill came to be", {"linked": 0.5}, True),
        ("How the mill came to be", {"linked": 1.0, "heading": True}, True),
        ("https://mill.example/how", {"linked": 1.0}, True),
        ("www.mill.example", {"linked": 1.0}, True),
        (" ".join(["word"] * 41), {"linked": 1.0}, True),
    ],
)
def test_a_line_that_is_but_a_link_leads_elsewhere(
    text: str, facts: dict[str, object], *, kept: bool
) -> None:
    reader = [*CORE, line(text, **facts)]

    assert (text in texts(rule(reader, reader))) is kept


def test_a_list_of_links_is_one() -> None:
    links = [line(text, linked=1.0) for text in OTHER]

    assert texts(rule(links, links)) == OTHER


def test_nothing_comes_of_nothing() -> None:
    assert rule([], []) == Ruling()
    assert Ruling().shared == 0
