from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill_distillation.lines import LINE_CHARACTERS, has_words, numbered_lines, one_line

PLENTY = 100_000


def shown(text: str, *, characters: int = PLENTY) -> list[str]:
    return [text[line.start : line.end] for line in numbered_lines(text, characters=characters)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("", [], id="empty"),
        pytest.param(" \n\t\n\u2028", [], id="white space"),
        pytest.param("One.\nTwo.", ["One.", "Two."], id="paragraphs"),
        pytest.param("  One. \n\n\n\tTwo.\r\n", ["One.", "Two."], id="blank lines and margins"),
        pytest.param("One.\u2028Still one.", ["One.\u2028Still one."], id="only \\n parts lines"),
        pytest.param(
            "First sentence. " * 40,
            [("First sentence. " * 31).strip(), ("First sentence. " * 9).strip()],
            id="a long paragraph is cut after a sentence",
        ),
        pytest.param(
            "word " * 120,
            [("word " * 100).strip(), ("word " * 20).strip()],
            id="or between words",
        ),
        pytest.param(
            "Short. " + "word " * 120,
            [("Short. " + "word " * 98).strip(), ("word " * 22).strip()],
            id="and not so early that hardly anything is left",
        ),
        pytest.param("x" * 600, ["x" * 500, "x" * 100], id="or where it must"),
        pytest.param(
            "これは文です。" * 80, ["これは文です。" * 71, "これは文です。" * 9], id="Japanese"
        ),
    ],
)
def test_text_is_cut_into_lines(text: str, lines: list[str]) -> None:
    assert shown(text) == lines


def test_lines_are_numbered_from_one() -> None:
    lines = numbered_lines("One.\n\nTwo.\nThree.", characters=PLENTY)

    assert [line.number for line in lines] == [1, 2, 3]


@pytest.mark.parametrize(
    ("characters", "lines"),
    [
        pytest.param(12, ["Twelve chars"], id="just enough"),
        pytest.param(19, ["Twelve chars"], id="no half lines"),
        pytest.param(20, ["Twelve chars", "Eight me"], id="two"),
        pytest.param(11, [], id="not one"),
    ],
)
def test_a_budget_ends_at_a_line(characters: int, lines: list[str]) -> None:
    assert shown("Twelve chars\nEight me\nMore", characters=characters) == lines


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" \n.。")), max_size=3_000))
def test_every_character_that_is_no_white_space_is_in_exactly_one_line(text: str) -> None:
    lines = numbered_lines(text, characters=PLENTY)

    assert "".join("".join(shown(text)).split()) == "".join(text.split())
    assert all(0 < line.end - line.start <= LINE_CHARACTERS for line in lines)
    assert all(before.end <= after.start for before, after in pairwise(lines))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", True), ("7", True), ("日", True), ("", False), (" \n…!\u200b", False), ("🎉", False)],
)
def test_words_are_letters_or_digits(text: str, expected: bool) -> None:
    assert has_words(text) is expected


def test_one_line_has_no_control_characters() -> None:
    assert one_line(" a\x00b\n\n c\u2028\x9fd\x1b[0m ") == "a b c d [0m"
