import pytest

from feedmill_distillation.lexicon import fold, language_of, lexicon


@pytest.mark.parametrize(
    ("text", "said", "language"),
    [
        pytest.param(
            "The mill grinds at night and it wastes nothing.", None, "en", id="by its words"
        ),
        pytest.param(
            "Die Mühle mahlt in der Nacht und sie steht nie.", "en", "de", id="not as it says"
        ),
        pytest.param("La molienda es de noche y no para.", "es-MX", "es", id="as it says"),
        pytest.param(
            "It is at the end of the road to the mill.", "it", "en", id="nor as others do"
        ),
        pytest.param(
            "Il mulino macina di notte e non spreca nulla, dice il sindaco.",
            "it",
            "it",
            id="Italian",
        ),
        pytest.param("Mulino.", "it", "it", id="one we have no words of"),
        pytest.param("Mill.", None, "en", id="too short to tell"),
        pytest.param("Mühle.", "de", "de", id="too short, but it says so"),
        pytest.param("水車は夜も回る。", None, "ja", id="kana"),
        pytest.param("水车夜里也转。", None, "zh", id="Han alone"),
        pytest.param("Мельница мелет ночью.", None, "ru", id="Cyrillic"),
        pytest.param("Млин меле вночі.", "uk", "uk", id="other Cyrillic"),
        pytest.param("تطحن الطاحونة ليلا.", None, "ar", id="Arabic"),
        pytest.param("", None, "en", id="empty"),
    ],
)
def test_the_language_of_a_text(text: str, said: str | None, language: str) -> None:
    assert language_of(text, said) == language


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("STRASSE", "straße"),
        ("\uff11\uff12", "12"),
        ("ещё", "еще"),
        ("مَدْرَسَة", "مدرسه"),
        ("ﬁsh", "fish"),
    ],
)  # fmt: skip
def test_what_looks_different_and_is_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("word", "number"),
    [("zweiundzwanzig", 22), ("dreihundert", 300), ("fünfhundertelf", 511), ("achttausend", 8000)],
)
def test_german_numbers_are_words(word: str, number: int) -> None:
    assert lexicon("de").numbers[word] == number


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ru", "ar", "zh", "ja"])
def test_every_language_counts_denies_and_measures(language: str) -> None:
    known = lexicon(language)

    assert known.negators
    assert len(known.weekdays) >= 7
    assert set(known.months.values()) in ({*range(1, 13)}, set())
    assert {"percent", "euro", "dollar", "metre", "year"} <= set(known.units.values())
    assert len(known.opposites) >= 20


def test_a_language_without_words_has_endings_at_least() -> None:
    assert lexicon("it").stem("stazioni") == lexicon("it").stem("stazione")
    assert lexicon("xx").stem("stations") == "stations"
