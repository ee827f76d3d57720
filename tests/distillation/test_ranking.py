import pytest

from feedmill_distillation.ranking import ratings
from feedmill_distillation.words import words


def test_the_sentence_that_shares_most_with_the_others_is_rated_highest() -> None:
    rated = ratings(
        [
            "Turbines turn.",
            "Herring swim.",
            "Turbines, herring, money.",
            "Money talks.",
            "Lemonade sells.",
        ]
    )

    assert rated.index(max(rated)) == 2


@pytest.mark.parametrize(
    "sentences",
    [
        pytest.param(["One two three.", "Four five six."], id="nothing in common"),
        pytest.param(["…", "!"], id="no words"),
        pytest.param([""], id="empty"),
    ],
)
def test_where_nothing_stands_out_all_are_rated_alike(sentences: list[str]) -> None:
    rated = ratings(sentences)

    assert len(set(rated)) == 1
    assert rated[0] >= 0


def test_no_sentences_have_no_ratings() -> None:
    assert ratings([]) == []


def test_only_the_beginning_of_an_endless_sentence_counts() -> None:
    beginning = " ".join(f"word{n}" for n in range(80))
    others = ["Two word1 word2 and more.", "Three word3 word4 and more.", "word90 word91 word92."]

    assert ratings([f"{beginning} word90 word91 word92", *others]) == ratings([beginning, *others])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Bridge, closed!", ("the", "bridge", "closed")),
        ("Straße 3.5", ("strasse", "3", "5")),
        ("潮力発電", ("潮力", "力発", "発電")),
        ("水", ("水",)),
        ("第2期工事abc", ("2", "abc", "第", "期工", "工事")),
        ("…", ()),
    ],
)
def test_words_of_any_script(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == expected
