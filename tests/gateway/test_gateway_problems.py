from typing import Any

import pytest
from aiohttp import ClientSession

from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import MAX_ID

_RUN_ID = "0190a5b0-0000-7000-8000-000000000000"
_PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("path", "where"),
    [
        pytest.param("/api/v1/entries?limit=0", ["query.limit"], id="too few"),
        pytest.param("/api/v1/entries?limit=201", ["query.limit"], id="too many"),
        pytest.param("/api/v1/entries?stage=eaten", ["query.stage"], id="no such stage"),
        pytest.param("/api/v1/entries?before=bm9wZQ==", ["query.before"], id="no position"),
        pytest.param("/api/v1/entries?before=%00%ff", ["query.before"], id="no base64"),
        pytest.param("/api/v1/entries?page=2", ["query.page"], id="unknown parameter"),
        pytest.param("/api/v1/entries?feedId=x&limit=x", ["query.feedId", "query.limit"], id="two"),
        pytest.param("/api/v1/entries/0", ["path.entry_id"], id="no such id"),
        pytest.param(f"/api/v1/feeds/{MAX_ID + 1}", ["path.feed_id"], id="id too large"),
        pytest.param("/api/v1/events?after=-1", ["query.after"], id="no event number"),
    ],
)
async def test_a_wrong_parameter_is_named(
    idle_api: ClientSession, path: str, where: list[str]
) -> None:
    answer = await idle_api.get(path)

    problem = await answer.json(content_type=_PROBLEM)
    assert answer.status == 422
    assert problem["title"] == "Request invalid"
    assert sorted(error["where"] for error in problem["errors"]) == where


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param("{", "body.1", id="no JSON"),
        pytest.param("{}", "body.url", id="nothing"),
        pytest.param('{"url": 7}', "body.url", id="a number"),
        pytest.param('{"url": "http://a.example", "title": "x"}', "body.title", id="unknown field"),
        pytest.param(f'{{"url": "http://a.example/{"x" * 2_000}"}}', "body.url", id="too long"),
    ],
)
async def test_a_wrong_body_is_named(idle_api: ClientSession, body: str, where: str) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await idle_api.post("/api/v1/feeds", data=body, headers=headers)

    problem = await answer.json(content_type=_PROBLEM)
    assert answer.status == 422
    assert [error["where"] for error in problem["errors"]] == [where]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("", Reason.URL_INVALID, id="empty"),
        pytest.param("feed", Reason.URL_INVALID, id="no URL"),
        pytest.param("javascript:alert(1)", Reason.URL_INVALID, id="no web"),
        pytest.param("http://me:pass@news.example/", Reason.URL_INVALID, id="with a password"),
        pytest.param(
            f"http://a.example/{'ü' * 1_900}", Reason.URL_INVALID, id="long when spelt out"
        ),
        pytest.param("http://127.0.0.1/feed", Reason.ADDRESS_FORBIDDEN, id="loopback"),
        pytest.param("http://169.254.169.254/", Reason.ADDRESS_FORBIDDEN, id="metadata"),
        pytest.param("http://localhost/", Reason.ADDRESS_FORBIDDEN, id="private name"),
    ],
)
async def test_a_refused_address_comes_with_reason_and_advice(
    idle_api: ClientSession, url: str, reason: Reason
) -> None:
    answer = await idle_api.post("/api/v1/feeds", json={"url": url})

    problem: dict[str, Any] = await answer.json(content_type=_PROBLEM)
    assert answer.status == 422
    assert (problem["reason"], problem["advice"]) == (reason, ADVICE[reason])
    assert await (await idle_api.get("/api/v1/feeds")).json() == {"items": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/feeds/77", 404),
        ("DELETE", "/api/v1/feeds/77", 404),
        ("POST", "/api/v1/feeds/77/refresh", 404),
        ("GET", "/api/v1/entries/77", 404),
        ("GET", f"/api/v1/runs/feed-ingestion/77/{_RUN_ID}", 404),
        ("GET", f"/api/v1/runs/feed-ingestion/{10**16 - 1}/{_RUN_ID}", 404),
        ("GET", f"/api/v1/runs/digest/77/{_RUN_ID}/events", 404),
        ("GET", "/api/v1/runs/feed-ingestion/77/not-a-uuid", 404),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/feeds", 405),
    ],
)
async def test_what_is_not_there_is_a_problem_too(
    idle_api: ClientSession, method: str, path: str, status: int
) -> None:
    answer = await idle_api.request(method, path)

    problem = await answer.json(content_type=_PROBLEM)
    assert (answer.status, problem["status"]) == (status, status)


async def test_a_body_without_end_is_cut_off(idle_api: ClientSession) -> None:
    answer = await idle_api.post("/api/v1/feeds", json={"url": "x" * 200_000})

    assert answer.status == 413


async def test_a_problem_on_a_page_is_a_page(idle_web: ClientSession) -> None:
    answer = await idle_web.get("/nowhere")

    assert answer.status == 404
    assert answer.content_type == "text/html"
    assert "<h1>Not Found</h1>" in await answer.text()
