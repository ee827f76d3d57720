import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from feedmill.models.outcomes import ADVICE, Reason
from feedmill_cli.commands import refetching
from support.gateway import TOKEN, ScriptedGateway, message, scripted_gateway
from support.person import Person

RUN = {
    "workflowId": "refetch/1/5",
    "runId": "0a",
    "href": "/api/v1/runs/refetch%2F1%2F5/0a",
}
PAGES = {
    "workflowId": "reextract/all",
    "runId": "0b",
    "href": "/api/v1/reextractions/reextract/all/0b",
    "status": "running",
}


def finished(status: str = "completed", **fields: object) -> str:
    progress = {"feedId": 1, "step": "done", "total": 1, **fields}
    return message("run.finished", {**RUN, "status": status, "progress": progress})


def pages(status: str, **progress: object) -> dict[str, object]:
    return {**PAGES, "status": status, "progress": progress or None}


@pytest_asyncio.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedGateway]:
    monkeypatch.setattr(refetching, "_LOOK_SECONDS", 0.05)
    async with scripted_gateway() as serving:
        monkeypatch.setenv("FEEDMILL_URL", serving.url)
        monkeypatch.setenv("FEEDMILL_TOKEN", TOKEN)
        serving.answers["POST /api/v1/entries/5/refetch"] = (202, {"run": RUN})
        serving.answers["POST /api/v1/reextractions"] = (202, PAGES)
        yield serving


@pytest.mark.parametrize(
    ("progress", "told"),
    [
        ({"unchanged": 1}, "The page has not changed."),
        ({"fetched": 1, "distilled": 1}, "The article was fetched again, and distilled."),
        (
            {"fetched": 1, "undistillable": 1},
            "The article was fetched again, and could not be distilled.",
        ),
    ],
)
async def test_refetch_says_what_came_of_it(
    person: Person, gateway: ScriptedGateway, progress: dict[str, int], told: str
) -> None:
    gateway.streams = [[finished(**progress)]]

    said = await person.types("refetch", "5")

    assert (said.code, said.out.splitlines()[-1]) == (0, told)


@pytest.mark.parametrize(
    ("status", "progress", "told"),
    [
        (
            "completed",
            {"unavailable": 1, "detail": "page_missing: 404"},
            ["page_missing: 404", ADVICE[Reason.PAGE_MISSING]],
        ),
        ("completed", {"left": 1}, ["left for later"]),
        ("failed", {"detail": "the disk is full"}, ["run failed: the disk is full"]),
    ],
)
async def test_refetch_fails_with_the_reason(
    person: Person,
    gateway: ScriptedGateway,
    status: str,
    progress: dict[str, object],
    told: list[str],
) -> None:
    gateway.streams = [[finished(status, **progress)]]

    said = await person.types("refetch", "5")

    assert said.code == 1
    assert all(line in said.err for line in told)


async def test_refetch_need_not_be_waited_for(person: Person, gateway: ScriptedGateway) -> None:
    said = await person.types("refetch", "5", "--no-wait")

    assert (said.code, said.out) == (0, "Its page is being asked for.\n")


async def test_refetch_answers_programs_in_json(person: Person, gateway: ScriptedGateway) -> None:
    gateway.streams = [[finished(unchanged=1)]]

    said = await person.types("refetch", "5", "--json")

    answer = json.loads(said.out)
    assert answer["run"] == RUN
    assert answer["finished"]["progress"]["unchanged"] == 1


async def test_reextract_shows_how_far_it_is_and_counts_at_the_end(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.answers[f"GET {PAGES['href']}"] = (
        200,
        pages("completed", total=120, examined=120, changed=7, failed=2, done=True),
    )

    said = await person.types("reextract", "--feed", "3", "--since", "2026-01-31")

    assert said.code == 0
    assert said.out.splitlines()[-1] == (
        "Read 120 of 120 pages, 7 articles changed, 2 without article."
    )
    [body] = gateway.bodies
    assert body["feedId"] == 3
    assert body["since"].startswith("2026-01-3")


async def test_reextract_with_nothing_kept_says_so(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.answers[f"GET {PAGES['href']}"] = (200, pages("completed", total=0))

    said = await person.types("reextract")

    assert said.out.splitlines()[-1] == "No pages are kept that could be read anew."


async def test_reextract_fails_with_the_reason(person: Person, gateway: ScriptedGateway) -> None:
    failed = {**PAGES, "status": "failed", "detail": "the disk is full"}
    gateway.answers[f"GET {PAGES['href']}"] = (200, failed)

    said = await person.types("reextract")

    assert said.code == 1
    assert "run failed: the disk is full" in said.err


async def test_reextract_need_not_be_waited_for_and_answers_in_json(
    person: Person, gateway: ScriptedGateway
) -> None:
    plain = await person.types("reextract", "--no-wait")
    as_json = await person.types("reextract", "--no-wait", "--json")

    assert plain.out == "The pages are being read.\n"
    assert json.loads(as_json.out)["workflowId"] == "reextract/all"
