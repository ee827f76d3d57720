import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill.models.distillates import KeyPoint, Passage, SummarySentence
from feedmill.models.entries import Stage
from feedmill.models.reader import EntryDetail
from feedmill_gateway.passages import Said, mark_passages, marked

ADDED = re.compile(r'<span class="passage" id="passage-\d+"></span>|</?mark>')


@pytest.mark.parametrize(
    ("html", "passage", "expected"),
    [
        pytest.param("<p>One. Two.</p>", "Two.", "<p>One. #0[Two.]</p>", id="a sentence"),
        pytest.param(
            "<p>One <b>two</b> three.</p>",
            "One two three.",
            "<p>#0[One ]<b>[two]</b>[ three.]</p>",
            id="tags in it",
        ),
        pytest.param("<p>One\n  two</p>", "One two", "<p>#0[One\n  two]</p>", id="white space"),
        pytest.param("<p>A&nbsp;&amp; B</p>", "A & B", "<p>#0[A&nbsp;&amp; B]</p>", id="entities"),
        pytest.param("<p>1 &lt; 2</p>", "1 < 2", "<p>#0[1 &lt; 2]</p>", id="an escaped bracket"),
        pytest.param(
            '<p title="Two. > x">One. Two.</p>',
            "Two.",
            '<p title="Two. > x">One. #0[Two.]</p>',
            id="attributes are no text",
        ),
        pytest.param("<p>One.</p><p>Two.</p>", "One. Two.", "<p>#0[One.]</p><p>[Two.]</p>", id="two blocks"),
        pytest.param("<p>One.</p>", "Three.", "<p>One.</p>", id="not there"),
        pytest.param("<p>One.</p>", "", "<p>One.</p>", id="empty"),
        pytest.param("", "One.", "", id="no article"),
    ],
)  # fmt: skip
def test_a_passage_is_marked_where_it_stands(html: str, passage: str, expected: str) -> None:
    shown, found = mark_passages(html, [passage])

    short = re.sub(r'<span class="passage" id="passage-(\d+)"></span>', r"#\1", shown)
    assert short.replace("<mark>", "[").replace("</mark>", "]") == expected
    assert found == ({0} if "#0" in expected else set())


def test_passages_that_overlap_are_marked_once_and_begin_where_they_do() -> None:
    shown, found = mark_passages("<p>One two three four.</p>", ["two three", "three four."])

    assert found == {0, 1}
    assert shown == (
        '<p>One <span class="passage" id="passage-0"></span><mark>two </mark>'
        '<span class="passage" id="passage-1"></span><mark>three</mark><mark> four.</mark></p>'
    )


def test_the_same_passage_may_be_meant_by_several() -> None:
    shown, _ = mark_passages("<p>One.</p>", ["One.", "One."])

    assert shown == (
        '<p><span class="passage" id="passage-0"></span>'
        '<span class="passage" id="passage-1"></span><mark>One.</mark></p>'
    )


PIECES = st.lists(
    st.sampled_from(["<p>", "</p>", '<a href="x>&quot;y">', "</a>", "one", " two ", "&amp;", "é", "&", "\n"]),
    max_size=15,
)  # fmt: skip


@given(PIECES.map("".join), st.lists(st.sampled_from(["one", "two", "one two", "& é", "é"])))
def test_nothing_but_marks_is_added(html: str, passages: list[str]) -> None:
    shown, _ = mark_passages(html, passages)

    assert ADDED.sub("", shown) == html
    assert shown.count("<mark>") == shown.count("</mark>")
    assert not re.search(r"<mark>[^<]*<(?!/mark>)", shown), "a mark holds text alone"


@pytest.mark.timeout(20)
def test_time_is_bounded() -> None:
    html = "<p>word &amp; <b>word</b></p>" * 30_000

    assert mark_passages(html, ["word & word" * 3] * 20)[1] == frozenset(range(20))
    assert mark_passages(html * 2, ["word"]) == (html * 2, frozenset())


def test_summary_and_key_points_lead_to_their_passages() -> None:
    text = "The mill grinds at night. It wastes nothing."
    entry = EntryDetail(
        id=1,
        feed_id=1,
        added_at=datetime(2026, 1, 31, tzinfo=UTC),
        stage=Stage.DISTILLED,
        summary="It grinds. All is well. Nothing is wasted.",
        sentences=(
            SummarySentence(start=0, end=10, sources=(Passage(start=0, end=25),)),
            SummarySentence(start=11, end=23),
            SummarySentence(start=24, end=42, sources=(Passage(start=26, end=44),)),
        ),
        key_points=(
            KeyPoint(text="No waste.", start=26, end=44),
            KeyPoint(text="Night.", start=0, end=8),
        ),
        html="<p>The mill grinds at night.</p>",
        text=text,
    )

    shown = marked(entry)

    assert [said for said in shown.summary if said.text.strip()] == [
        Said("It grinds.", 2),
        Said("All is well.", is_sure=False),
        Said("Nothing is wasted.", None),
    ]
    assert shown.key_points == (
        Said("No waste.", None, "It wastes nothing."),
        Said("Night.", 1, "The mill"),
    )
    assert shown.html.startswith('<p><span class="passage" id="passage-1"></span>')
