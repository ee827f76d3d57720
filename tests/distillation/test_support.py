"""What is wrong with a claim about a passage: each rule on its own."""

from decimal import Decimal

import pytest

from feedmill_distillation.lexicon import lexicon
from feedmill_distillation.reading import Reading, alike
from feedmill_distillation.support import Flaw, flaw


def verdict(claim: str, passage: str, language: str = "en", context: str = "") -> Flaw | None:
    known = lexicon(language)
    before = Reading(context, known).stems
    return flaw(Reading(claim, known), Reading(passage, known), lambda: before)


@pytest.mark.parametrize(
    ("language", "text", "values"),
    [
        ("en", "twenty-five years", {25}),
        ("en", "two thousand three hundred boats", {2300}),
        ("en", "1.5 million people", {1_500_000}),
        ("en", "$3m in May 2026", {3_000_000, 2026}),
        ("en", "millions of people", set()),
        ("en", "0.125 and .5", {Decimal("0.125"), 5}),
        ("en", "version 2.10.3 of 14:30", {2, 10, 3, 14, 30}),
        ("fr", "quatre-vingt-dix euros", {90}),
        ("fr", "soixante-douze", {72}),
        ("es", "treinta y cinco", {35}),
        ("ru", "двести сорок книг", {240}),
        ("ar", "خمسة وعشرون", {25}),
        ("zh", "1.25万户、三十万人", {12_500, 300_000}),
        ("zh", "二〇二六年", {2026}),
        ("ja", "1万2500世帯に450億円", {12_500, 45_000_000_000}),
        ("ja", "一部の人", set()),
    ],
)  # fmt: skip
def test_figures_in_digits_and_words(language: str, text: str, values: set[Decimal]) -> None:
    found = Reading(text, lexicon(language)).claimed_figures

    assert {figure.value for figure in found} == values


@pytest.mark.parametrize(
    ("claim", "passage", "expected"),
    [
        pytest.param("It grew 5%.", "It grew by five percent.", None, id="percent"),
        pytest.param("It grew 5%.", "It grew by 5 metres.", Flaw.FIGURE, id="another unit"),
        pytest.param("It cost €5.", "It cost 5.", None, id="one does not say of what"),
        pytest.param("12 boats and 4 mills", "4 boats and 12 mills", Flaw.FIGURE, id="counted"),
        pytest.param("It opened on 5 May.", "It opened on 2026-05-05.", None, id="date in digits"),
        pytest.param("It opened on 5 May.", "It opened on 5 June.", Flaw.DATE, id="month"),
        pytest.param("It opened on Monday.", "It opened on Tuesday.", Flaw.DATE, id="day"),
        pytest.param("It may open.", "It may open.", None, id="may is no month"),
        pytest.param("It rose from 12 to 15 metres.", "It rose from 15 to 12 metres.", Flaw.ROLES, id="range"),
    ],
)  # fmt: skip
def test_figures_and_dates(claim: str, passage: str, expected: Flaw | None) -> None:
    assert verdict(claim, passage) is expected


@pytest.mark.parametrize(
    ("language", "claim", "passage", "expected"),
    [
        pytest.param("en", "The mill of Ada Byron", "The mill of Ada Byron", None, id="same"),
        pytest.param("en", "The mill of Bea Byron", "The mill of Ada Byron", Flaw.NAME, id="other"),
        pytest.param("en", "Bea owns a mill", "Ada owns a mill", Flaw.NAME, id="first word"),
        pytest.param("en", "Millers own the mill", "Those who grind own the mill", None, id="no name"),
        pytest.param("en", "The EU closes mills", "The UN closes mills", Flaw.NAME, id="acronym"),
        pytest.param("en", "The EU closes mills", "The European Union closes mills", None, id="spelt out"),
        pytest.param("de", "Die Anlage von Petra Krause", "Die Anlage von Petra Vogt", Flaw.NAME, id="German"),
        pytest.param("de", "Die große Anlage mahlt Korn", "Die große Mühle mahlt Korn", None, id="noun"),
        pytest.param("ru", "Мельница Ады Байрон", "Ада Байрон купила мельницу", None, id="cases"),
        pytest.param("ja", "ローズの水車が回る", "ライズの水車が回る", Flaw.NAME, id="katakana"),
        pytest.param("zh", "市长王小明参观水车", "市长李小明参观水车", Flaw.NAME, id="title"),
        pytest.param("ar", "قالت المهندسة سارة نعم", "قالت المهندسة ميرا نعم", Flaw.NAME, id="Arabic"),
    ],
)  # fmt: skip
def test_names(language: str, claim: str, passage: str, expected: Flaw | None) -> None:
    assert verdict(claim, passage, language) is expected


def test_a_name_from_before_counts_unless_the_passage_names_another() -> None:
    said = "The boss Ada sold a mill."

    assert verdict(said, "Then the boss sold a mill.", context="Ada came.") is None
    assert verdict(said, "Then the boss Bob sold a mill.", context="Ada came.") is Flaw.NAME
    assert verdict(said, "Then the boss sold a mill.") is Flaw.NAME


@pytest.mark.parametrize(
    ("language", "claim", "passage", "expected"),
    [
        pytest.param("en", "They found a change.", "They found no change.", Flaw.CONTRARY, id="no"),
        pytest.param("en", "They didn't find a change.", "They found no change.", None, id="both"),
        pytest.param("en", "It will not open.", "It will open.", Flaw.CONTRARY, id="not"),
        pytest.param("en", "It failed to open.", "It did not open.", None, id="failed"),
        pytest.param("en", "Prices fell.", "Prices rose.", Flaw.CONTRARY, id="short"),
        pytest.param("en", "Mill prices fell fast.", "Mill prices rose fast.", Flaw.CONTRARY, id="opposite"),
        pytest.param("en", "The fish were counted.", "They counted the fish and found no change.", None, id="beside"),
        pytest.param("de", "Das Werk zahlt nicht.", "Das Werk zahlt.", Flaw.CONTRARY, id="behind the verb"),
        pytest.param("fr", "Il a fermé le moulin.", "Il n\u2019a pas fermé le moulin.", Flaw.CONTRARY, id="pas"),
        pytest.param("fr", "Le moulin n'est pas encore une réserve.", "Il n'a pas classé le moulin comme réserve.", None, id="in other words"),
        pytest.param("ru", "Мельница работает.", "Мельница не работает.", Flaw.CONTRARY, id="не"),
        pytest.param("zh", "水车开放参观。", "水车没有开放参观。", Flaw.CONTRARY, id="没有"),
        pytest.param("zh", "水车不断转动。", "水车不断转动。", None, id="no negation"),
        pytest.param("ja", "水車は回転した。", "水車は回転しなかった。", Flaw.CONTRARY, id="なかった"),
        pytest.param("ja", "価格は下落した。", "価格は上昇した。", Flaw.CONTRARY, id="上昇"),
    ],
)  # fmt: skip
def test_denials(language: str, claim: str, passage: str, expected: Flaw | None) -> None:
    assert verdict(claim, passage, language) is expected


@pytest.mark.parametrize(
    ("claim", "passage", "expected"),
    [
        ("The firm Alba bought the firm Boreas.", "Boreas bought the firm Alba.", Flaw.ROLES),
        ("The firm Alba bought Boreas.", "The firm Alba bought Boreas.", None),
        ("Boreas was bought by Alba.", "Alba bought Boreas.", None),
        ("A mill opened in Alba.", "The town of Alba opened a mill.", None),
        ("Alba showed the flag of Alba.", "Alba showed the flag of Alba.", None),
    ],
)
def test_roles(claim: str, passage: str, expected: Flaw | None) -> None:
    assert verdict(claim, passage) is expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("鈴木社長が水車を修理した。", None),
        ("佐藤社長が水車を修理した。", Flaw.NAME),
        ("鈴木社長が水車を修復した。", Flaw.ROLES),
    ],
)
def test_what_is_the_passage_but_for_a_word_of_han(claim: str, expected: Flaw | None) -> None:
    assert verdict(claim, "鈴木社長が水車を修理した。", "ja") is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("gabon", "gabonais", True),
        ("lindenau", "lindenauer", True),
        ("lindenau", "lindenberg", False),
        ("mira", "mila", False),
        ("no", "noon", False),
    ],
)
def test_forms_of_a_word(one: str, other: str, expected: bool) -> None:
    assert alike(one, other) is alike(other, one) is expected
