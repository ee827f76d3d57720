"""Some hundred pages of others, beside the checkout: floors for what is found on them.

They are their authors' property and no part of the project. Where they are not, this is skipped.
"""

from typing import Any

import pytest

from support.scoring import needs_corpus, score

pytestmark = needs_corpus

ARTICLES = 0.975
CLEAN_HTML = 0.98
# Of the images, links, headings, list items, table cells, code and players in an article.
ELEMENTS = 0.95


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    def tell(**scores: dict[str, Any]) -> None:
        with capsys.disabled():
            for name, scored in scores.items():
                print(f"\ncorpus: {name} {scored}")

    return tell


def test_articles_are_found_as_well_as_before(told: Any) -> None:
    ours = score("article", "article")

    told(articles=ours)
    assert ours["errors"] == 0
    assert ours["f1"] >= ARTICLES


def test_no_kind_of_element_is_lost_from_them(told: Any) -> None:
    ours = score("article_html", "clean_html")

    told(clean_html=ours)
    assert ours["errors"] == 0
    assert ours["text_f1"] >= CLEAN_HTML
    recalls = {name: value for name, value in ours.items() if name.startswith("recall_")}
    assert len(recalls) == 7
    assert min(recalls.values()) >= ELEMENTS, recalls


def test_forums_lists_and_other_languages_are_read_no_worse_than_by_the_best_of_others(
    told: Any,
) -> None:
    ours = score("article_segments", "article")
    theirs = score("article_segments", "article_by_trafilatura")

    told(segments=ours, trafilatura=theirs)
    assert ours["errors"] == 0
    assert ours["f1"] >= theirs["f1"]
