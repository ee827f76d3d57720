import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill_distillation.lines import numbered_lines
from feedmill_distillation.parts import parts_of
from feedmill_distillation.tokens import count_tokens
from support.articles import ARABIC, ENGLISH, JAPANESE, RUSSIAN


def numbers(text: str, *, tokens: int, most: int = 50) -> list[list[int]]:
    lines = numbered_lines(text, characters=1_000_000)
    return [
        [line.number for line in part] for part in parts_of(text, lines, tokens=tokens, most=most)
    ]


def test_what_fits_is_one_part() -> None:
    assert numbers("One.\nTwo.\nThree.", tokens=100) == [[1, 2, 3]]


def test_a_part_ends_before_a_paragraph_that_does_not_fit() -> None:
    paragraph = "word " * 20

    assert numbers("\n".join([paragraph] * 5), tokens=100) == [[1, 2], [3, 4], [5]]


def test_a_paragraph_too_long_for_a_part_is_cut_between_its_lines() -> None:
    endless = "A sentence of some words here. " * 80

    parts = numbers(f"Short.\n{endless}", tokens=400)

    assert parts[0][:2] == [1, 2]
    assert [number for part in parts for number in part] == list(range(1, parts[-1][-1] + 1))
    assert len(parts) > 2


def test_what_is_too_much_is_left_out() -> None:
    assert len(numbers("\n".join(["word " * 20] * 50), tokens=100, most=3)) == 3


@given(st.lists(st.text(min_size=1, max_size=300), max_size=30), st.integers(60, 500))
def test_every_line_is_in_one_part_in_order(paragraphs: list[str], tokens: int) -> None:
    text = "\n".join(paragraphs)
    lines = numbered_lines(text, characters=1_000_000)

    parts = parts_of(text, lines, tokens=tokens, most=10_000)

    assert [line for part in parts for line in part] == list(lines)
    assert all(parts)


# Bands that the rule of thumb is meant to stay in; no tokenizer was asked.
@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param(ENGLISH, 0.25, 0.6, id="English"),
        pytest.param(RUSSIAN, 0.5, 2.1, id="Russian"),
        pytest.param(ARABIC, 0.5, 2.1, id="Arabic"),
        pytest.param(JAPANESE, 1.0, 2.1, id="Japanese"),
        pytest.param("12345678" * 10, 0.33, 1.0, id="digits"),
        pytest.param("{}[]<>" * 10, 0.5, 1.0, id="signs"),
    ],
)
def test_tokens_are_estimated_by_script(text: str, least: float, most: float) -> None:
    assert least <= count_tokens(text) / len(text) <= most
