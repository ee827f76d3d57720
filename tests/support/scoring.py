"""The corpus beside the checkout, and its own scorer.

Its feeds and pages are their authors' property and no part of the project.
"""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("FEEDMILL_CORPUS", ROOT / "../shared/corpus")).resolve()

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "score.py").is_file(),
    reason=f"NO CORPUS at {CORPUS}: set FEEDMILL_CORPUS to measure what is understood",
)


def score(kind: str, adapter: str) -> dict[str, Any]:
    """Return what the scorer says of a function in `tests/corpus_adapters.py`."""
    call = f"tests.corpus_adapters:{adapter}"
    command = [sys.executable, str(CORPUS / "score.py"), "--kind", kind, "--call", call]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    scored: dict[str, Any] = json.loads(done.stdout)
    return scored


def items(kind: str) -> Iterator[dict[str, Any]]:
    """Yield what the corpus lists of a kind."""
    manifest = json.loads((CORPUS / "manifest.json").read_text())
    return (item for item in manifest["items"] if item["kind"] == kind)


def content_of(item: dict[str, Any]) -> bytes:
    """Return the bytes of one of them."""
    content = (CORPUS / item["file"]).read_bytes()
    return gzip.decompress(content) if item["file"].endswith(".gz") else content
