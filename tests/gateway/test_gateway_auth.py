import pytest
from aiohttp import ClientSession

from feedmill_gateway.auth import COOKIE, is_cross_site
from feedmill_gateway.routes import API, PAGES
from support.library import Library
from support.live_gateway import BEARER, TOKEN, RunningGateway, browser

_OPEN = {"/", "/sign-in"}
_RUN = "feed-ingestion/1/0190a5b0-0000-7000-8000-000000000000"


def _guarded_routes() -> list[tuple[str, str]]:
    routes = [route for router in (*API, PAGES) for route in router.routes]
    return [
        (method, route.path.replace("{workflow_id:path}/{run_id:uuid}", _RUN))
        for route in routes
        for method in sorted(route.methods)
        if route.path not in _OPEN
    ]


@pytest.mark.parametrize(("method", "path"), _guarded_routes())
async def test_nothing_is_answered_without_a_token(
    idle_gateway: RunningGateway, method: str, path: str
) -> None:
    path = path.replace("{feed_id}", "1").replace("{entry_id}", "1")

    async with browser(idle_gateway.url) as stranger:
        answer = await stranger.request(method, path)

    assert answer.status == 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no token"),
        pytest.param({"Authorization": "Bearer wrong"}, id="wrong token"),
        pytest.param({"Authorization": f"Basic {TOKEN}"}, id="wrong scheme"),
        pytest.param({"Cookie": f"{COOKIE}=wrong"}, id="wrong cookie"),
        pytest.param(
            {"Authorization": "Bearer wrong", "Cookie": f"{COOKIE}={TOKEN}"},
            id="a wrong token is not saved by a cookie",
        ),
    ],
)
async def test_the_api_names_what_is_missing(
    idle_web: ClientSession, headers: dict[str, str]
) -> None:
    answer = await idle_web.get("/api/v1/feeds", headers=headers)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert await answer.json(content_type="application/problem+json") == {
        "type": "urn:feedmill:problem:not-authenticated",
        "title": "Token needed",
        "status": 401,
        "detail": "Send a token that is known here.",
        "errors": [],
    }


@pytest.mark.parametrize(
    "headers", [BEARER, {"Cookie": f"{COOKIE}={TOKEN}"}], ids=["bearer", "cookie"]
)
async def test_the_token_opens_the_api(idle_web: ClientSession, headers: dict[str, str]) -> None:
    answer = await idle_web.get("/api/v1/feeds", headers=headers)

    assert (answer.status, await answer.json()) == (200, {"items": []})


async def test_a_link_with_the_token_signs_a_browser_in(idle_web: ClientSession) -> None:
    answer = await idle_web.get("/", params={"token": TOKEN}, allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    page = await idle_web.get("/")
    assert page.status == 200
    assert "Follow a feed" in await page.text()


async def test_the_form_signs_a_browser_in_and_out(idle_web: ClientSession) -> None:
    await idle_web.post("/sign-in", data={"token": f" {TOKEN}\n"})
    inside = await idle_web.get("/")
    await idle_web.post("/sign-out")
    outside = await idle_web.get("/")

    assert (inside.status, outside.status) == (200, 401)


async def test_a_wrong_token_is_asked_for_again(idle_web: ClientSession) -> None:
    by_link = await idle_web.get("/", params={"token": "wrong"})
    by_form = await idle_web.post("/sign-in", data={"token": "wrong"})

    for answer in (by_link, by_form):
        page = await answer.text()
        assert answer.status == 401
        assert "Nobody has this token" in page
        assert 'type="password"' in page


async def test_a_deep_page_asks_a_stranger_to_sign_in(idle_web: ClientSession) -> None:
    answer = await idle_web.get("/entries/1")

    assert answer.status == 401
    assert "Sign in" in await answer.text()


@pytest.mark.parametrize(
    ("method", "headers", "cross_site"),
    [
        pytest.param("GET", {"sec-fetch-site": "cross-site"}, False, id="reading is no change"),
        pytest.param("POST", {"sec-fetch-site": "same-origin"}, False, id="our own page"),
        pytest.param("POST", {"sec-fetch-site": "none"}, False, id="the user themselves"),
        pytest.param("POST", {"sec-fetch-site": "same-site"}, True, id="a sibling domain"),
        pytest.param("DELETE", {"sec-fetch-site": "cross-site"}, True, id="another site"),
        pytest.param(
            "POST", {"origin": "http://here:8420"}, False, id="our origin over plain http"
        ),
        pytest.param("POST", {"origin": "http://here:99"}, True, id="another port"),
        pytest.param("POST", {"origin": "http://evil.example"}, True, id="another origin"),
        pytest.param("POST", {"origin": "null"}, True, id="a hidden origin"),
        pytest.param("POST", {}, False, id="no browser"),
    ],
)
def test_who_is_behind_a_request(method: str, headers: dict[str, str], cross_site: bool) -> None:
    assert is_cross_site(method, {"host": "here:8420", **headers}) is cross_site


async def test_another_sites_form_changes_nothing(web: ClientSession, library: Library) -> None:
    feed_id = await library.feed()
    await web.get("/", params={"token": TOKEN})

    refused = await web.post(f"/feeds/{feed_id}/remove", headers={"Origin": "https://evil.example"})

    assert refused.status == 403
    assert (await web.get(f"/api/v1/feeds/{feed_id}")).status == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/feeds", "/static/feedmill.css", "/nowhere"])
async def test_every_answer_says_what_a_browser_may_do_with_it(
    idle_web: ClientSession, path: str
) -> None:
    answer = await idle_web.get(path)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
