import pytest

from feedmill_fetch.furniture import is_furniture
from feedmill_fetch.lines import words_of
from feedmill_fetch.phrases import phrases


@pytest.mark.parametrize(
    "line",
    [
        "Read more: How mills grind",
        "\u25b6 Read  also How mills grind",
        "Related: mills",
        "Related articles",
        "Don\u2019t miss the mill",
        "You may also like",
        "Also on mill.example",
        "Lesen Sie auch: Wie M\u00fchlen mahlen",
        "Auch lesen: M\u00fchlen",
        "Mehr zum Thema",
        "\u00c0 lire aussi : les moulins",
        "Lee tambi\u00e9n: los molinos",
        "Leia mais",
        "Leggi anche: i mulini",
        "Lees ook: molens",
        "Czytaj te\u017c",
        "\u0427\u0438\u0442\u0430\u0439\u0442\u0435 \u0442\u0430\u043a\u0436\u0435: \u043c\u0435\u043b\u044c\u043d\u0438\u0446\u044b",
        "\u95a2\u9023\u8a18\u4e8b\uff1a\u6c34\u8eca",
        "Sign up for our newsletter",
        "Subscribe to The Mill for $1",
        "Follow Ada Byron on Twitter",
        "Share this article",
        "Write to Ada Byron at ada@mill.example",
        "Leave a comment",
        "Log in to comment",
        "Newsletter abonnieren",
        "Abonnez-vous !",
        "Advertisement",
        "- ANZEIGE -",
        "Publicit\u00e9",
        "Tags: mills, wind",
        "Image 3 of 12",
        "3 / 12",
        "Comments",
        "\u00a9 2026 The Mill",
        "\u00a92026 The Mill",
        "Copyright The Mill",
        "(c) 2026 The Mill",
        "Reporting by Ada Byron; editing by Mary S.",
        "Mary S. contributed to this report.",
        "The Mill. All rights reserved.",
        "To get it every week, click here to sign up",
        "Published November 24, 2026, 9:30",
        "24.11.2026, 09:30 Uhr",
    ],
)
def test_what_sites_put_into_articles(line: str) -> None:
    assert is_furniture(line, len(words_of(line)))


@pytest.mark.parametrize(
    "line",
    [
        "The mill grinds all day.",
        "Reading more books would help.",
        "Related work on mills has been done by others.",
        "Subscribers of the mill were told to wait, said its owner.",
        "Following the river, they came to the mill.",
        "Advertisements for mills were found in the old papers.",
        "Comments by the miller were not helpful.",
        "At 9:30 they went to the mill.",
        "In 2026 there were 9 mills.",
        "Weiterleitungen gibt es nicht.",
        "Serious people mill about.",
        "",
    ],
)
def test_what_people_write(line: str) -> None:
    assert not is_furniture(line, len(words_of(line)))


def test_a_long_line_is_never_furniture() -> None:
    line = "Read more " + "of it " * 30

    assert not is_furniture(line, len(words_of(line)))


def test_a_phrase_ends_with_a_word_save_where_there_are_none() -> None:
    assert r"(?:advertentie)(?!\w)" in phrases("lines", "labels")
    assert "(?:\u95a2\u9023\u8a18\u4e8b)|" in phrases("lines", "more")
