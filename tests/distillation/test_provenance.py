import pytest

from feedmill.models.distillates import KeyPoint
from feedmill_distillation.answers import Claim
from feedmill_distillation.lines import numbered_lines
from feedmill_distillation.provenance import key_points

TEXT = """\
The station supplies 12,500 homes and cost 84.5 million euros.

It took 1 200 workers, who said: “We learned everything the hard way.”
Nothing happened in line three.
ارتفع السعر إلى ٣٫٥ في ٢٠٢١.
「すべてを苦労して学びました」と森さんは話した。料金は１２００円。
At 10 300 people came."""  # noqa: RUF001 - Arabic digits

LINES = numbered_lines(TEXT, characters=10_000)


def claim(text: str, first: int = 1, last: int | None = None) -> Claim:
    return Claim(text=text, first_line=first, last_line=first if last is None else last)


def kept(*claims: Claim) -> tuple[KeyPoint, ...]:
    return key_points(claims, TEXT, LINES)


def test_a_claim_gets_the_passage_it_cites() -> None:
    points = kept(claim("The station is expensive.", 1), claim("It was hard.", 2, 3))

    assert [(point.text, TEXT[point.start : point.end]) for point in points] == [
        (
            "The station is expensive.",
            "The station supplies 12,500 homes and cost 84.5 million euros.",
        ),
        (
            "It was hard.",
            TEXT[TEXT.index("It took") : TEXT.index(" three.") + len(" three.")],
        ),
    ]


@pytest.mark.parametrize(
    ("first", "last"),
    [(0, 1), (-1, 1), (1, 0), (2, 1), (1, 7), (7, 7), (10**30, 10**30)],
)
def test_lines_that_were_not_shown_support_nothing(first: int, last: int) -> None:
    assert kept(claim("A claim.", first, last)) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("12,500 homes", 1, id="as written"),
        pytest.param("12.500 homes", 1, id="other thousands separator"),
        pytest.param("12500 homes", 1, id="no separator"),
        pytest.param("12 500 homes", 1, id="a space as separator"),
        pytest.param("84,5 million", 1, id="decimal comma"),
        pytest.param("1,200 workers", 2, id="the article uses a space"),
        pytest.param("1'200 workers", 2, id="apostrophe"),
        pytest.param("The price is 3.5 since 2021", 4, id="Arabic digits"),
        pytest.param("1200 yen", 5, id="full-width digits"),
        pytest.param("300 people at 10", 6, id="two numbers side by side"),
    ],
)
def test_figures_are_compared_by_value(text: str, line: int) -> None:
    assert len(kept(claim(text, line))) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("12,501 homes", 1, id="wrong"),
        pytest.param("500 homes", 1, id="part of a figure"),
        pytest.param("845 million", 1, id="lost decimal point"),
        pytest.param("12,500 homes", 2, id="in another line"),
        pytest.param("12,500 homes in 7 towns", 1, id="one of two"),
    ],
)
def test_a_figure_that_the_lines_do_not_hold_drops_the_claim(text: str, line: int) -> None:
    assert kept(claim(text, line)) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("They “learned everything the hard way”", 2, id="as written"),
        pytest.param('They "learned  everything the hard way."', 2, id="other marks and spaces"),
        pytest.param("Они «We Learned Everything»", 2, id="case"),
        pytest.param("森さんは「すべてを苦労して学びました」と述べた", 5, id="Japanese"),
    ],
)
def test_quotations_that_occur_are_kept(text: str, line: int) -> None:
    assert len(kept(claim(text, line))) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("They “learned nothing”", 2, id="invented"),
        pytest.param("They “learned everything the hard way”", 1, id="in another line"),
        pytest.param("“hard way” and „easy way“", 2, id="one of two"),
        pytest.param("森さんは「簡単でした」と述べた", 5, id="Japanese"),
    ],
)
def test_quotations_that_do_not_occur_drop_the_claim(text: str, line: int) -> None:
    assert kept(claim(text, line)) == ()


def test_at_most_seven_key_points_are_kept() -> None:
    assert len(kept(*[claim(f"Claim {'x' * n}.", 1) for n in range(10)])) == 7


@pytest.mark.parametrize("text", ["", "x" * 1_001], ids=["empty", "endless"])
def test_claims_that_are_no_sentences_are_dropped(text: str) -> None:
    assert kept(claim(text)) == ()
