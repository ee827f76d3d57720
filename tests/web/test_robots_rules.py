from datetime import timedelta

import pytest

from feedmill.web.robots_rules import our_rules, read_rules

SITE = "https://site.example"


def allows(robots: str, path: str) -> bool:
    return read_rules(our_rules(robots)).allows(SITE + path)


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        pytest.param("", True, id="says nothing"),
        pytest.param("User-agent: *\nDisallow:", True, id="forbids nothing"),
        pytest.param("User-agent: *\nDisallow: /", False, id="everybody"),
        pytest.param("User-agent: Feedmill\nDisallow: /", False, id="us"),
        pytest.param("user-AGENT: FEEDMILL\ndisallow: /", False, id="in any case"),
        pytest.param("User-agent: Feedmill/2.0 (news)\nDisallow: /", False, id="with a version"),
        pytest.param("\ufeffUser-agent: *\nDisallow: /", False, id="marked"),
        pytest.param("User-agent: *\rDisallow: /", False, id="old line ends"),
        pytest.param("User-agent:* # all\nDisallow:/ # of it", False, id="comments, no spaces"),
        pytest.param("User-agent: feed\nDisallow: /", True, id="a name that ours begins with"),
        pytest.param("User-agent: mill\nDisallow: /", True, id="a name that ours ends with"),
        pytest.param("User-agent: feedmill-images\nDisallow: /", True, id="that begins with ours"),
        pytest.param("User-agent: otherbot\nDisallow: /", True, id="somebody else"),
        pytest.param("Disallow: /", True, id="a rule for nobody"),
        pytest.param(
            "User-agent: *\nDisallow: /\n\nUser-agent: feedmill\nDisallow: /x",
            True,
            id="our group is ours alone",
        ),
        pytest.param(
            "User-agent: *\nDisallow: /\n\nUser-agent: feedmill",
            True,
            id="our group without rules too",
        ),
        pytest.param(
            "User-agent: feedmill\nAllow: /x\n\nUser-agent: a\nDisallow: /x\n\n"
            "User-agent: FEEDMILL\nDisallow: /",
            False,
            id="two groups of ours are one",
        ),
        pytest.param(
            "User-agent: a\nUser-agent: feedmill\nUser-agent: b\nDisallow: /",
            False,
            id="a group of several",
        ),
        pytest.param(
            "User-agent: feedmill\nSitemap: /map.xml\n\nNoindex: /\nUser-agent: b\nDisallow: /",
            False,
            id="lines that end no group",
        ),
        pytest.param(
            "User-agent: feedmill\nCrawl-delay: 5\nUser-agent: b\nDisallow: /",
            True,
            id="a line that does",
        ),
        pytest.param("<!doctype html><p>User-agent: *: Disallow: /", True, id="a page"),
    ],
)
def test_which_group_is_ours(robots: str, *, allowed: bool) -> None:
    assert allows(robots, "/page") is allowed


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        (["Disallow: /a", "Allow: /a/b"], "/a/b/c", True),
        (["Allow: /a/b", "Disallow: /a"], "/a/c", False),
        (["Allow: /page", "Disallow: /page"], "/page", True),
        (["Disallow: /*.php"], "/x/index.php?y=1", False),
        (["Disallow: /*.php$"], "/index.php?y=1", True),
        (["Disallow: /*.php$"], "/index.php", False),
        (["Disallow: /a*b*c"], "/a-b-c-d", False),
        (["Disallow: /A"], "/a", True),
        (["Disallow: /caf%C3%A9"], "/caf%c3%a9", False),
        (["Disallow: /café"], "/caf%C3%A9", False),
        (["Disallow: /%7Euser/"], "/~user/page", False),
        (["Disallow: /a%2Fb"], "/a/b", True),
        (["Disallow: /?q="], "/?q=x", False),
        (["Disallow: /"], "/robots.txt", True),
        (["Disallow: /" + "*a" * 300], "/" + "a" * 5_000 + "b", False),
    ],
)
def test_the_longest_rule_that_matches_decides(
    rules: list[str], path: str, *, allowed: bool
) -> None:
    assert allows("\n".join(["User-agent: *", *rules]), path) is allowed


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ("Crawl-delay: 10", 10),
        ("crawl-delay: 0.5", 0.5),
        ("Crawl-delay: 0", None),
        ("Crawl-delay: soon", None),
        ("Crawl-delay: -3", None),
        ("Crawl-delay: inf", None),
        ("Crawl-delay: 999999999999999999999", 60),
        ("Request-rate: 1/20", 20),
        ("Request-rate: 10/1m", 6),
        ("Crawl-delay: 3\nRequest-rate: 1/20", 20),
        ("Disallow: /", None),
    ],
)
def test_the_distance_that_is_asked_for(lines: str, seconds: float | None) -> None:
    rules = read_rules(our_rules(f"User-agent: *\n{lines}"))

    assert rules.crawl_delay == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("robots", "withheld"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-input=no\nAllow: /", True),
        ("User-agent: *\nContent-Signal: ai-train=no,ai-input=no", True),
        ("User-agent: feedmill\nContent-signal: AI-INPUT = NO", True),
        ("Content-Signal: ai-input=no\n\nUser-agent: feedmill\nAllow: /", True),
        ("User-agent: *\nContent-Signal: ai-train=no, search=yes, ai-input=yes", False),
        ("User-agent: *\nContent-Signal: xai-input=no", False),
        ("User-agent: *\n# Content-Signal: ai-input=no", False),
        ("User-agent: a\nContent-Signal: ai-input=no", False),
        ("User-agent: *\nContent-Signal: ai-input=no\n\nUser-agent: feedmill\nAllow: /", False),
    ],
)
def test_what_is_kept_from_models(robots: str, *, withheld: bool) -> None:
    sign = read_rules(our_rules(robots)).withheld

    assert (sign is not None) is withheld
    assert sign is None or sign.startswith("robots.txt Content-Signal: ")


def test_only_what_is_for_us_is_kept() -> None:
    robots = "User-agent: a\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\x00\nSitemap: /map.xml"

    rules = our_rules(robots)

    assert rules == "user-agent: *\ndisallow: /b"
    assert our_rules(rules) == rules
