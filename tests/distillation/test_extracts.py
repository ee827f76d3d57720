import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedmill.models.distillates import Distillate
from feedmill_distillation.extracts import extract
from feedmill_distillation.keywords import repeated_names
from feedmill_distillation.lines import has_words
from support.articles import (
    ARABIC,
    CHINESE,
    ENGLISH,
    FRENCH,
    GERMAN,
    JAPANESE,
    RUSSIAN,
    SPANISH,
    THAI,
)

LANGUAGES = {
    "en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "ru": RUSSIAN, "ar": ARABIC,
    "zh": CHINESE, "ja": JAPANESE, "th": THAI,
}  # fmt: skip


def extracted(text: str, language: str | None = "en") -> Distillate:
    distillate = extract(text, language)
    assert distillate is not None
    return distillate


def assert_exact(distillate: Distillate, text: str) -> None:
    assert [text[point.start : point.end] for point in distillate.key_points] == [
        point.text for point in distillate.key_points
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_article_in_any_language_becomes_its_own_sentences(language: str) -> None:
    text = LANGUAGES[language]

    distillate = extracted(text, language)

    assert 40 <= len(distillate.summary) <= 500
    assert 3 <= len(distillate.key_points) <= 5
    assert distillate.language == language
    assert_exact(distillate, text)
    for point in distillate.key_points:
        assert "\n" not in point.text
        assert language == "th" or re.search(r"[.。?؟!\"”]$", point.text), "a whole sentence"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_article_is_known_by_its_first_sentence(language: str) -> None:
    text = LANGUAGES[language]
    beginning = {
        "en": "The harbour of Norwick opened",
        "ja": "北浜港は月曜日",
        "ru": "понедельник порт Норвик открыл",
        "ar": "افتتح ميناء نورويك",
        "de": "Der Hafen von Norwick hat",
        "fr": "Le port de Norvic a",
        "es": "El puerto de Norvico inauguró",
        "zh": "北滨港周一启用了",
        "th": "ท่าเรือนอร์วิกเปิด",
    }

    assert beginning[language] in extracted(text, language).summary


@pytest.mark.parametrize("sentence", ["Two of the first blades", "The harbour plans a second"])
def test_what_an_article_opens_with_counts_more(sentence: str) -> None:
    assert sentence not in extracted(ENGLISH).summary

    start = ENGLISH.index(sentence)
    end = ENGLISH.index(". ", start) + 2
    moved = ENGLISH[start:end] + ENGLISH[:start] + ENGLISH[end:]

    assert sentence in extracted(moved).summary


def test_key_points_say_what_the_summary_left_out() -> None:
    distillate = extracted(ENGLISH)

    assert [point.text for point in distillate.key_points if point.text in distillate.summary] == []


def test_headings_bylines_and_buttons_are_left_out() -> None:
    distillate = extracted(ENGLISH)

    shown = [distillate.summary, *(point.text for point in distillate.key_points)]
    for noise in ("By Ann Example", "Share this article", "Subscribe to our newsletter"):
        assert not any(noise in text for text in shown)


@pytest.mark.parametrize(
    ("language", "noise"),
    [
        ("de", ["Foto:", "Newsletter", "Beispiel"]),
        ("fr", ["Abonnez-vous"]),
        ("es", ["Suscríbete"]),
        ("zh", ["公众号"]),
    ],
)
def test_calls_and_captions_are_left_out(language: str, noise: list[str]) -> None:
    text = LANGUAGES[language]
    distillate = extracted(text, language)

    shown = " ".join([distillate.summary, *(point.text for point in distillate.key_points)])
    assert all(word in text and word not in shown for word in noise)


def test_an_article_about_newsletters_is_still_one() -> None:
    text = (
        "The newsletter of the mill has a thousand readers who get it every Monday. "
        "Another newsletter of the town was given up because nobody would subscribe to it. "
        "Its editor says that a newsletter needs patience more than it needs any money."
    )

    assert extracted(text).summary.startswith("The newsletter of the mill")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_of_a_summary_knows_where_it_stands(language: str) -> None:
    text = LANGUAGES[language]

    distillate = extracted(text, language)

    assert distillate.sentences
    for sentence in distillate.sentences:
        [source] = sentence.sources
        said = distillate.summary[sentence.start : sentence.end]
        assert said == " ".join(text[source.start : source.end].split())


def test_almost_the_same_sentence_is_shown_once() -> None:
    again = "On Monday the harbour of Norwick opened a tidal power station that will supply 12,500 homes."
    distillate = extracted(f"{ENGLISH}\n{again}")

    shown = " ".join([distillate.summary, *(point.text for point in distillate.key_points)])
    assert shown.count("12,500 homes") == 1


@pytest.mark.parametrize(
    ("text", "language", "topics"),
    [
        pytest.param(FRENCH, "fr", ("Norvic",), id="French"),
        pytest.param(GERMAN, "de", (), id="every noun has a capital"),
        pytest.param("Mira Holt came. Then Mira Holt left the EU, and the EU stayed.", "en", ("Mira Holt", "EU"), id="runs"),
        pytest.param("カルドモアに行く。カルドモアは遠い。", "ja", ("カルドモア",), id="katakana"),
        pytest.param(ARABIC, "ar", (), id="no capitals"),
    ],
)  # fmt: skip
def test_topics_are_the_names_that_come_again(
    text: str, language: str, topics: tuple[str, ...]
) -> None:
    assert repeated_names(text, language) == topics


def test_summary_and_key_points_are_in_the_order_of_the_text() -> None:
    distillate = extracted(ENGLISH)

    starts = [point.start for point in distillate.key_points]
    assert starts == sorted(starts)


def test_sentences_in_japanese_are_joined_without_a_space() -> None:
    assert "。 " not in extracted(JAPANESE, "ja").summary


def test_a_very_short_text_is_its_own_summary() -> None:
    text = "  The bridge is closed\n until   Monday. Use the ferry. It runs hourly.  "

    assert extracted(text) == Distillate(
        summary="The bridge is closed until Monday. Use the ferry. It runs hourly.",
        relevance=extracted(text).relevance,
        language="en",
    )


def test_a_text_of_a_few_sentences_has_key_points_too() -> None:
    text = (
        "The northern bridge across the river is closed until Monday for repairs to its deck. "
        "Drivers are asked to use the ferry, which runs every hour from six in the morning. "
        "The city expects long queues during the evening and asks everybody for patience."
    )

    distillate = extracted(text)

    assert distillate.summary == text
    assert len(distillate.key_points) == 3
    assert_exact(distillate, text)


def test_the_same_sentence_is_shown_once() -> None:
    repeated = "Read the full story of the harbour in our printed edition tomorrow morning. "
    text = repeated * 4 + ENGLISH

    distillate = extracted(text)

    shown = " ".join([distillate.summary, *(point.text for point in distillate.key_points)])
    assert shown.count(repeated.strip()) == 1


@pytest.mark.parametrize("text", ["", " \n ", "…!?", "🎉", "\u200b"])
def test_a_text_without_words_has_no_distillate(text: str) -> None:
    assert extract(text, "en") is None


@pytest.mark.parametrize("language", [None, "", "en-GB", "zz", "../..", "x" * 1_000])
def test_unknown_languages_are_read_like_english(language: str | None) -> None:
    distillate = extracted(ENGLISH, language)

    assert distillate.summary == extracted(ENGLISH).summary
    assert distillate.language == language


def test_long_reads_matter_more_than_notes_and_boilerplate() -> None:
    note = extracted("The bridge is closed until Monday.").relevance
    boilerplate = extracted("Accept all cookies to read on. " * 40).relevance
    article = extracted(ENGLISH).relevance

    assert 0.3 <= note < boilerplate < article <= 0.7


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{'word ' * 200_000}.", id="one endless sentence"),
        pytest.param(
            "".join(f"Sentence {n} of a text without an end is here. " for n in range(20_000)),
            id="endless sentences",
        ),
        pytest.param("x" * 1_000_000, id="one endless word"),
        pytest.param("(“" * 200_000 + "a", id="brackets that never close"),
        pytest.param("漢" * 100_000, id="an endless run of characters"),
        pytest.param("a\n" * 100_000, id="endless lines"),
    ],
)
def test_time_and_size_are_bounded(text: str) -> None:
    distillate = extracted(text)

    assert len(distillate.summary) <= 500
    assert_exact(distillate, text)


PIECES = st.sampled_from(
    ["The harbour opened. ", "It cost 3.5 million! ", "Dr. No said “no”. ", "これは文です。", "Да. ",
     "نعم؟ ", "\n", "\n\n", "D.\u2028", "A.\u3000", "\u00a0", "\u200b", "e.g. ", "…", "(", "“", "🎉"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    text=st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map("".join)),
    language=st.sampled_from([None, "en", "ja", "ru", "ar", "de", "zh"]),
)
@example(text="One. Two two two two two. Six six six six six six.", language="en")
@example(text="'дرcc.“.\tD\u2028.\x00\t\x85\x85U.2.5\u2028\r.。'\u200bc」", language="en")
def test_any_text_has_a_valid_distillate_or_no_words(text: str, language: str | None) -> None:
    distillate = extract(text, language)

    assert (distillate is not None) == has_words(text)
    if distillate is not None:
        assert_exact(distillate, text)
        assert Distillate.model_validate(distillate.model_dump()) == distillate
