import pytest

from feedmill_fetch.length import count_words, reading_minutes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("One, two - three!", 3),
        ("it's the bird\u2019s e-mail", 4),
        ("Straße 12", 2),
        ("汉字也是词", 5),
        ("東京とOsaka", 4),
        ("한국어 단어", 2),
    ],
)
def test_how_much_there_is_to_read(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("", 0), ("word", 1), ("word " * 238, 1), ("word " * 239, 2), ("字" * 401, 2), ("...", 0)],
)
def test_how_long_that_takes(text: str, minutes: int) -> None:
    assert reading_minutes(text) == minutes
