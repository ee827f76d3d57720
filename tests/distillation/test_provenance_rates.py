"""How many planted fabrications are caught, and how many true claims pass.

`claims/seen_*` was looked at while the rules were made, `claims/held_out_*` was written before them
and never looked at row by row.
"""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from feedmill_distillation.answers import Claim
from feedmill_distillation.article import Article
from feedmill_distillation.lines import numbered_lines
from feedmill_distillation.provenance import borne_out

CLAIMS = Path(__file__).parent / "claims"
HALVES = ("seen", "held_out")
LANGUAGES = ("ar", "de", "en", "es", "fr", "ja", "ru", "zh")
FLOOR = 0.95


def table(half: str, language: str) -> dict[str, Any]:
    return tomllib.loads((CLAIMS / f"{half}_{language}.toml").read_text("utf-8"))


def passes(text: str, language: str, row: dict[str, Any]) -> bool:
    lines = numbered_lines(text, characters=len(text))
    claim = Claim(text=row["text"], first_line=row["line"], last_line=row["line"])
    article = Article(text, lines, language=language)
    return bool(borne_out("", [claim], article).key_points)


def counted(half: str) -> Counter[tuple[str, bool]]:
    counts: Counter[tuple[str, bool]] = Counter()
    for language in LANGUAGES:
        read = table(half, language)
        for kind in ("true", "planted"):
            counts.update((kind, passes(read["text"].strip(), language, row)) for row in read[kind])
    return counts


def rates(counts: Counter[tuple[str, bool]]) -> tuple[float, float]:
    true, planted = (counts[kind, True] + counts[kind, False] for kind in ("true", "planted"))
    return counts["planted", False] / planted, counts["true", True] / true


def test_fabrications_are_caught_and_true_claims_pass(capsys: pytest.CaptureFixture[str]) -> None:
    by_half = {half: counted(half) for half in HALVES}
    together = by_half["seen"] + by_half["held_out"]

    with capsys.disabled():
        for name, counts in (*by_half.items(), ("together", together)):
            caught, passed = rates(counts)
            print(
                f"\n{name}: {caught:.1%} of fabrications caught, {passed:.1%} of true claims pass"
            )

    assert together["planted", True] + together["planted", False] >= 100
    assert together["true", True] + together["true", False] >= 100
    assert min(rates(together)) >= FLOOR
    assert min(rates(by_half["held_out"])) >= FLOOR - 0.01


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_have_every_kind_of_fabrication_in_every_language(
    half: str, language: str
) -> None:
    read = table(half, language)

    kinds = {row["kind"] for row in read["planted"]}

    assert {"number", "name", "quote", "negation", "date"} <= kinds
    assert all(1 <= row["line"] <= len(read["text"].strip().split("\n")) for row in read["true"])
