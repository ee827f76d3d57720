"""Some hundred feeds of others, beside the checkout: a floor for our score, and feedparser's opinion.

They are their authors' property and no part of the project. Where they are not, this is skipped.
"""

import html
import itertools
import re
import time
from collections import Counter
from typing import Any

import pytest

from corpus_adapters import feed, feed_by_feedparser
from support.scoring import content_of, items, needs_corpus, score

pytestmark = needs_corpus

FLOOR = 0.985
# As much of feedparser's time as we may take.
SHARE_OF_TIME = 0.5
# feedparser is the reference, and wrong about a few: an enclosure lends its title to the entry.
AGREEMENT = 0.995


def test_the_corpus_is_understood_as_well_as_before_and_in_half_the_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours = score("feed", "feed")
    theirs = score("feed", "feed_by_feedparser")

    with capsys.disabled():
        print(f"\ncorpus: ours {ours}\ncorpus: feedparser {theirs}")
    assert ours["errors"] == 0
    assert ours["pass_rate"] >= FLOOR, ours
    assert ours["median_ms"] <= SHARE_OF_TIME * theirs["median_ms"]


def test_we_agree_with_feedparser_about_what_the_corpus_does_not_decide(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds = Counter[str]()
    disagreeing = []
    for item in items("feed"):
        content = content_of(item)
        ours, theirs = timed(feed, content, seconds), timed(feed_by_feedparser, content, seconds)
        differences = undecided_differences(item["expected"], ours, theirs)
        # What feedparser takes for no feed at all, it has no opinion on.
        if differences and (theirs["title"] or theirs["entries"]):
            disagreeing.append((item["id"], differences))

    with capsys.disabled():
        print(f"\ncorpus: CPU seconds {dict(seconds)}, disagreements {disagreeing}")
    assert len(disagreeing) <= (1 - AGREEMENT) * sum(1 for _ in items("feed"))
    assert seconds["feed"] <= SHARE_OF_TIME * seconds["feed_by_feedparser"]


def timed(read: Any, content: bytes, seconds: Counter[str]) -> Any:
    started = time.process_time()
    answer = read(content)
    seconds[read.__name__] += time.process_time() - started
    return answer


def undecided_differences(expected: Any, ours: Any, theirs: Any) -> set[str]:
    differences = differing({"title", "link"}, expected, ours, theirs)
    if expected.get("n") is None and len(ours["entries"]) != len(theirs["entries"]):
        differences.add("n")
    decided = itertools.chain(expected["entries"], itertools.repeat({}))
    for known, our, their in zip(decided, ours["entries"], theirs["entries"], strict=False):
        differences |= {f"entry.{name}" for name in differing(set(our), known, our, their)}
    return differences


def differing(names: set[str], decided: Any, ours: Any, theirs: Any) -> set[str]:
    differences = {name for name in names if plain(ours[name]) != plain(theirs[name])}
    # feedparser takes every id for an address. We do not, unless it is one and an entry's.
    if not ours["link"] and theirs["link"] == theirs["id"]:
        differences.discard("link")
    return {name for name in differences if not decided.get(name)}


def plain(text: str | None) -> str:
    """Return a text as the scorer compares it."""
    bare = re.sub(r"<[^>]+>", "", html.unescape(html.unescape(text or "")))
    return " ".join(bare.split()).rstrip("/")
