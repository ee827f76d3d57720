from pathlib import Path

import pytest

from support.person import Person


@pytest.fixture
def person(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Person:
    """Somebody at a terminal, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEEDMILL_DATA_DIR", str(tmp_path / "feedmill"))
    return Person(capsys)
