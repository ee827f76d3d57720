"""The same journey with a language model behind an OpenAI-compatible endpoint."""

from pathlib import Path

import pytest

from support.model_server import open_model_server
from support.origin import Origin
from support.running_fleet import running_fleet
from support.sites import serve_own_site

# A fleet starts within it, on a machine that does other things as well.
pytestmark = pytest.mark.timeout(300)


async def test_a_configured_model_distils_with_its_sources(tmp_path: Path, origin: Origin) -> None:
    site = serve_own_site(origin)

    async with open_model_server() as model:
        environ = {"FEEDMILL_MODEL_URL": model.url, "FEEDMILL_MODEL_NAME": "test-model"}
        async with running_fleet(tmp_path / "data", environ) as fleet:
            added = await fleet.add(site.url)
            progress = await fleet.finished(added["run"])
            entries = await fleet.entries(added["feed"]["id"])
            whole = await fleet.get(f"/api/v1/entries/{entries[0]['id']}")

    assert progress["distilled"] == len(entries) == len(model.requests) == site.entries
    assert {(entry["distiller"], entry["model"]) for entry in entries} == {("model", "test-model")}
    assert whole["keyPoints"]
    for point in whole["keyPoints"]:
        assert whole["text"][point["start"] : point["end"]].strip()
