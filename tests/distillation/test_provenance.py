import pytest

from feedmill_distillation.answers import Claim
from feedmill_distillation.article import Article
from feedmill_distillation.lines import numbered_lines, one_line
from feedmill_distillation.provenance import Borne, borne_out
from support import articles

TEXT = """\
The station supplies 12,500 homes and cost 84.5 million euros. It is the largest of its kind.

It took 1 200 workers, who said: “We learned everything the hard way.”
Nothing happened to the herring in the first year.
At 10 300 people came. Mira Holt led the work.
She plans a second station in March."""

ARABIC = "ارتفع السعر إلى ٣٫٥ في ٢٠٢١."  # noqa: RUF001 - Arabic digits
JAPANESE = "「すべてを苦労して学びました」と森さんは話した。料金は１２００円。"


ARTICLES = {
    "en": articles.ENGLISH, "de": articles.GERMAN, "fr": articles.FRENCH, "es": articles.SPANISH,
    "ru": articles.RUSSIAN, "ar": articles.ARABIC, "zh": articles.CHINESE, "ja": articles.JAPANESE,
    "th": articles.THAI,
}  # fmt: skip


def claim(text: str, first: int = 1, last: int | None = None) -> Claim:
    return Claim(text=text, first_line=first, last_line=first if last is None else last)


def borne(*claims: Claim, summary: str = "", text: str = TEXT, language: str = "en") -> Borne:
    lines = numbered_lines(text, characters=10_000)
    return borne_out(summary, claims, Article(text, lines, title="Tides", language=language))


def passages(*claims: Claim) -> list[str]:
    return [TEXT[point.start : point.end] for point in borne(*claims).key_points]


def test_a_claim_gets_the_shortest_passage_that_says_it() -> None:
    points = [
        claim("The station cost 84.5 million euros.", 1),
        claim("It is the largest of its kind and cost 84.5 million.", 1),
    ]

    assert passages(*points) == [
        "The station supplies 12,500 homes and cost 84.5 million euros.",
        "The station supplies 12,500 homes and cost 84.5 million euros. It is the largest of its kind.",
    ]


@pytest.mark.parametrize(
    ("first", "last"),
    [(0, 1), (-1, 1), (1, 0), (2, 1), (1, 6), (6, 6), (10**30, 10**30), (3, 3)],
)
def test_a_claim_that_cites_other_lines_is_cited_anew(first: int, last: int) -> None:
    [point] = borne(claim("The station supplies 12,500 homes.", first, last)).key_points

    assert point.recited
    assert TEXT[point.start : point.end].startswith("The station supplies")


def test_what_no_line_says_is_dropped_and_told_why() -> None:
    kept = borne(
        claim("The station supplies 12,500 homes.", 1),
        claim("The station supplies 13,500 homes.", 1),
        claim("Penguins are good swimmers.", 1),
        claim("Workers said “it was easy”.", 2),
    )

    assert len(kept.key_points) == 1
    assert kept.point_outcomes == ("cited", "figure", "words", "quotation")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("12,500 homes supplied", 1, id="as written"),
        pytest.param("12.500 homes supplied", 1, id="other thousands separator"),
        pytest.param("12500 homes supplied", 1, id="no separator"),
        pytest.param("12 500 homes supplied", 1, id="a space as separator"),
        pytest.param("The station cost 84,5 million", 1, id="decimal comma"),
        pytest.param("The station cost €84.5m", 1, id="a symbol"),
        pytest.param("The station cost 84,500,000 euros", 1, id="written out"),
        pytest.param("1,200 workers", 2, id="the article uses a space"),
        pytest.param("1'200 workers", 2, id="apostrophe"),
        pytest.param("twelve hundred workers", 2, id="words"),
        pytest.param("300 people came at 10", 4, id="two numbers side by side"),
    ],
)
def test_figures_are_compared_by_value(text: str, line: int) -> None:
    assert borne(claim(text, line)).point_outcomes == ("cited",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("12,501 homes supplied", 1, id="wrong"),
        pytest.param("500 homes supplied", 1, id="part of a figure"),
        pytest.param("The station cost 845 million", 1, id="lost decimal point"),
        pytest.param("12,500 homes supplied in 7 towns", 1, id="one of two"),
        pytest.param("The station cost 84.5 million dollars", 1, id="another currency"),
        pytest.param("1,200 homes supplied", 1, id="of something else"),
    ],
)
def test_a_figure_that_no_line_holds_drops_the_claim(text: str, line: int) -> None:
    assert borne(claim(text, line)).point_outcomes == ("figure",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("Workers “learned everything the hard way”", 2, id="as written"),
        pytest.param('Workers "learned  everything the hard way."', 2, id="other marks and spaces"),
        pytest.param("«We Learned Everything the hard way»", 2, id="case"),
    ],
)
def test_quotations_that_occur_are_kept(text: str, line: int) -> None:
    assert borne(claim(text, line)).point_outcomes == ("cited",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("Workers “learned nothing”", 2, id="invented"),
        pytest.param("“hard way” and „easy way“, workers learned", 2, id="one of two"),
    ],
)
def test_quotations_that_do_not_occur_drop_the_claim(text: str, line: int) -> None:
    assert borne(claim(text, line)).point_outcomes == ("quotation",)


@pytest.mark.parametrize(
    ("text", "language", "said", "outcome"),
    [
        pytest.param(ARABIC, "ar", "ارتفع السعر إلى 3.5 في 2021", "cited", id="Arabic digits"),
        pytest.param(ARABIC, "ar", "ارتفع السعر إلى 3.6 في 2021", "figure", id="other digits"),
        pytest.param(JAPANESE, "ja", "料金は1,200円", "cited", id="full-width digits"),
        pytest.param(JAPANESE, "ja", "料金は1,300円", "figure", id="other full-width digits"),
        pytest.param(
            JAPANESE, "ja", "『すべてを苦労して学びました』と森さん", "cited", id="quotation"
        ),
        pytest.param(JAPANESE, "ja", "森さんは「簡単でした」と話した", "quotation", id="invented"),
    ],
)
def test_other_scripts_are_read_alike(text: str, language: str, said: str, outcome: str) -> None:
    assert borne(claim(said), text=text, language=language).point_outcomes == (outcome,)


def test_who_was_named_just_before_may_stand_for_a_pronoun() -> None:
    assert borne(claim("Holt plans a second station in March.", 5)).point_outcomes == ("cited",)
    assert borne(claim("Ashby plans a second station in March.", 5)).point_outcomes == ("name",)


def test_the_sentences_of_a_summary_say_where_they_come_from() -> None:
    kept = borne(summary="The station supplies 12,500 homes. Mira Holt led the work.")

    assert kept.summary == "The station supplies 12,500 homes. Mira Holt led the work."
    told = [
        (kept.summary[s.start : s.end], [TEXT[p.start : p.end] for p in s.sources])
        for s in kept.sentences
    ]
    assert told == [
        (
            "The station supplies 12,500 homes.",
            ["The station supplies 12,500 homes and cost 84.5 million euros."],
        ),
        ("Mira Holt led the work.", ["Mira Holt led the work."]),
    ]


def test_a_sentence_may_rest_on_passages_far_apart() -> None:
    kept = borne(summary="Mira Holt led the work on a station that supplies 12,500 homes.")

    [sentence] = kept.sentences
    assert [TEXT[p.start : p.end] for p in sentence.sources] == [
        "The station supplies 12,500 homes and cost 84.5 million euros.",
        "Mira Holt led the work.",
    ]


def test_a_sentence_with_an_invented_fact_is_taken_out_of_the_summary() -> None:
    kept = borne(
        summary="The station supplies 12,500 homes. It closed in 2019. Mira Holt led the work."
    )

    assert kept.summary == "The station supplies 12,500 homes. Mira Holt led the work."
    assert kept.summary_outcomes == ("cited", "figure", "cited")


def test_a_sentence_in_its_own_words_is_kept_without_a_passage() -> None:
    kept = borne(summary="Homes, herring, work, kinds and people made some happy little things.")

    [sentence] = kept.sentences
    assert (kept.summary_outcomes, sentence.sources) == (("unsure",), ())


def test_a_sentence_about_something_else_is_taken_out() -> None:
    kept = borne(summary="Mira Holt led the work. Renewable power gets cheaper and better.")

    assert (kept.summary, kept.summary_outcomes) == ("Mira Holt led the work.", ("cited", "words"))


def test_an_article_speaks_for_itself_when_nothing_of_its_summary_holds() -> None:
    kept = borne(summary="In 1812 Napoleon lost 400,000 men.")

    assert kept.summary.startswith(
        "The station supplies 12,500 homes and cost 84.5 million euros. It is"
    )
    assert all(
        kept.summary[s.start : s.end] == TEXT[s.sources[0].start : s.sources[0].end]
        for s in kept.sentences
    )


def test_what_is_written_in_another_language_is_held_to_its_figures() -> None:
    german = "Das Kraftwerk versorgt {} Haushalte und hat 84,5 Millionen Euro gekostet."
    kept = borne(claim(german.format("12.500"), 1), claim(german.format("15.200"), 1))

    assert kept.point_outcomes == ("cited", "figure")


def test_at_most_seven_key_points_are_kept() -> None:
    assert len(borne(*[claim("The station supplies 12,500 homes.", 1)] * 10).key_points) == 7


@pytest.mark.parametrize("text", ["", "x" * 1_001], ids=["empty", "endless"])
def test_claims_that_are_no_sentences_are_dropped(text: str) -> None:
    assert borne(claim(text)).key_points == ()


@pytest.mark.parametrize("language", ARTICLES)
def test_every_sentence_of_an_article_bears_itself_out(language: str) -> None:
    text = ARTICLES[language]
    lines = numbered_lines(text, characters=len(text))
    article = Article(text, lines, language=language)
    said = [one_line(text[span.start : span.end]) for span in article.spans]

    outcomes = [
        borne_out("", [claim(sentence, 1, len(lines))], article).point_outcomes for sentence in said
    ]

    assert outcomes == [("cited",)] * len(said)


@pytest.mark.parametrize("text", ["", "…", "\n"])
def test_nothing_is_borne_out_by_nothing(text: str) -> None:
    kept = borne(claim("A mill."), summary="A mill.", text=text)

    assert kept.key_points == ()


@pytest.mark.timeout(20)
def test_time_is_bounded() -> None:
    text = "".join(
        f"The mill number {n} of Norwick grinds {n + 7} tonnes.\n" for n in range(20_000)
    )
    claims = [claim(f"The mill {n} never ground Rye's {n} “tonnes”.", 1, 20_000) for n in range(99)]

    kept = borne(*claims, summary="The mill lost 99999 boats. " * 70, text=text)

    assert kept.key_points == ()
    assert kept.summary.startswith("The mill number 0")
