"""Rules for single sites: how they are read, and what they make of a page."""

from pathlib import Path

import pytest

from feedmill.errors import SettingsError
from feedmill_fetch.extraction import examine
from feedmill_fetch.rules import BrokenRule, Rules, check_folder, read_rules, rules_in
from feedmill_fetch.rules.__main__ import main

PROSE = (
    "The mill on the river ground flour for a hundred years, and nobody ever counted the sacks "
    "that left it on carts, on boats and on the backs of mules. "
)


def one(include: str = "", exclude: str = "", name: str = "Mills") -> str:
    return (
        f'[[rule]]\nname = "{name}"\nhosts = ["mills.example"]\n'
        f"include = [{include}]\nexclude = [{exclude}]\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def article(folder: Path, rule: str, page: str, url: str = "https://mills.example/a") -> list[str]:
    (folder / "mine.toml").write_text(rule)
    body = f"<html><body>{page}</body></html>".encode()
    content = examine(body, charset=None, url=url, rules=str(folder)).content
    return [] if content is None else content.text.split("\n")


PAGE = (
    f"<div class=intro><p>{PROSE}One.</p></div><div id=ad><p>{PROSE}Two.</p></div>"
    f"<div class=text><p>{PROSE}Three.</p><div class=text><p>{PROSE}Four.</p></div></div>"
)


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        pytest.param('".text"', "", ["Three", "Four"], id="CSS, the outermost only"),
        pytest.param("\"//div[@id='ad']\"", "", ["Two"], id="XPath"),
        pytest.param('".intro, .text"', "", ["One", "Three", "Four"], id="in the page's order"),
        pytest.param('".none", ".intro"', "", ["One"], id="the first that finds something"),
        pytest.param('".text"', '".text .text"', ["Three"], id="without what is left out"),
        pytest.param(
            '"//p[unknown(.)]", ".intro"', "", ["One"], id="a function that does not exist"
        ),
        pytest.param('"//text()", "//@id", "/html", ".intro"', "", ["One"], id="no parts"),
    ],
)
def test_a_rule_says_what_the_article_is(
    folder: Path, include: str, exclude: str, found: list[str]
) -> None:
    lines = article(folder, one(include, exclude), PAGE)

    assert lines == [f"{PROSE}{name}." for name in found]


def test_a_part_within_another_stays_where_it_is(folder: Path) -> None:
    inner = f"<div class=text><p>{PROSE}Two.</p></div>"
    page = f"<div class=text><p>{PROSE}One.</p>{inner}<p>{PROSE}Three.</p></div>"

    lines = article(folder, one('".text"'), page)

    assert [line.removeprefix(PROSE) for line in lines] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize("include", ["", '".none"'])
def test_where_a_rule_names_no_part_that_is_there_the_article_is_looked_for(
    folder: Path, include: str
) -> None:
    lines = article(folder, one(include, '"#ad"'), PAGE)

    assert lines[0] == f"{PROSE}One."
    assert f"{PROSE}Two." not in lines


def test_a_headline_is_not_said_twice(folder: Path) -> None:
    (folder / "mine.toml").write_text(one('".text"'))
    text = f"<h1>The  Mill</h1><p>{PROSE}</p><h2>The mill</h2><p>{PROSE}</p>"
    body = f"<html><head><title>The mill</title></head><body><div class=text>{text}</div>".encode()

    content = examine(body, charset=None, url="https://mills.example/", rules=str(folder)).content

    assert content is not None
    assert content.text.split("\n") == [PROSE.strip(), "The mill", PROSE.strip()]
    assert "<h1>" not in content.html
    assert content.html.count("<h2>") == 1


def test_what_a_rule_names_is_sanitised_like_everything(folder: Path) -> None:
    (folder / "mine.toml").write_text(one('".text"'))
    body = f"<body><div class=text><p onclick=x>{PROSE * 3}</p><script>x</script></div>".encode()

    content = examine(body, charset=None, url="https://mills.example/", rules=str(folder)).content

    assert content is not None
    assert content.html == f"<div><p>{PROSE * 3}</p></div>".replace(". </p>", ". </p>")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://mills.example/a", "Mills"),
        ("https://www.mills.example/", "Mills"),
        ("https://MILLS.example:8080/", "Mills"),
        ("https://water.mills.example/", "Water mills"),
        ("https://windmills.example/", None),
        ("https://example/", None),
        ("not an address", None),
    ],
)
def test_a_rule_holds_for_its_hosts_and_their_subdomains(url: str, name: str | None) -> None:
    rules = read_rules(
        one() + one(name="Water mills").replace("mills.example", "www.water.mills.example"), "x"
    )

    rule = rules.of(url)

    assert (rule.name if rule else None) == name


def test_rules_of_ones_own_go_before_those_that_are_shipped(folder: Path) -> None:
    (folder / "mine.toml").write_text(one(name="Mine").replace("mills.example", "wikipedia.org"))

    rule = rules_in(str(folder)).of("https://en.wikipedia.org/wiki/Mill")

    assert rule is not None
    assert rule.name == "Mine"


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("[[rule]", "mine.toml", "Expected"),
        ("rule = 3", "mine.toml", "rules begin with [[rule]]"),
        ("rule = [3]", "mine.toml, rule 1", "Input should be a valid dictionary"),
        ('[[rule]]\nname = "A"', "mine.toml, rule 1", "hosts: Field required"),
        ('[[rule]]\nname = "A"\nhosts = []', "mine.toml, rule 1", "hosts: List should have"),
        (one() + "keep = 1", "mine.toml, rule 1", "keep: Extra inputs"),
        (one('"p["'), "Mills", "p[: "),
        (one('"//p["'), "Mills", "//p[: "),
        (one('"::nonsense"'), "Mills", "::nonsense: "),
    ],
)
def test_a_broken_rule_is_named(text: str, name: str, problem: str) -> None:
    (broken,) = read_rules(text, "mine.toml").broken

    assert broken.name == name
    assert problem in broken.problem


def test_the_others_hold_when_one_is_broken(folder: Path) -> None:
    (folder / "a.toml").write_text(one('"p["') + one(name="Whole"))
    (folder / "b.toml").write_bytes(b"\xff\xfe")

    rules = rules_in(str(folder))

    assert [broken.name for broken in rules.broken] == ["Mills", "b.toml"]
    assert "Whole" in [rule.name for rule in rules.rules]


def test_a_rule_that_is_changed_holds_from_then_on(folder: Path) -> None:
    before = article(folder, one('".intro"'), PAGE)
    after = article(folder, one('".text", ".intro"'), PAGE)

    assert (before[0], after[0]) == (f"{PROSE}One.", f"{PROSE}Three.")


def test_broken_rules_are_named_at_the_start_and_a_folder_that_is_none_ends_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.toml").write_text(one('"p["'))

    assert check_folder(folder) == str(folder)
    assert check_folder(None) == ""
    assert "Mills" in capsys.readouterr().out
    with pytest.raises(SettingsError, match=r"FEEDMILL_RULES_DIR: .*/none is no folder"):
        check_folder(folder / "none")


@pytest.mark.parametrize(
    ("finds", "link", "next_url"),
    [
        ('"a.more"', "<a class=more href='?page=2'>More</a>", "https://mills.example/a?page=2"),
        ('"a.more"', "<a class=more>More</a>", None),
        ('"a.more"', "<a class=more href='javascript:x()'>More</a>", None),
        ('"a.gone", "a.more"', "<a class=more href=/b>More</a>", "https://mills.example/b"),
        ("\"//link[@rel='next']\"", "<link rel=next href=/b>", "https://mills.example/b"),
        ("", "<a class=more href=/b>More</a>", None),
    ],
)
def test_a_rule_says_where_an_article_goes_on(
    folder: Path, finds: str, link: str, next_url: str | None
) -> None:
    (folder / "mine.toml").write_text(one('".text"', '".pages"') + f"next = [{finds}]\n")
    body = f"<html><body>{PAGE}<div class=pages>{link}</div></body></html>".encode()

    examined = examine(body, charset=None, url="https://mills.example/a", rules=str(folder))

    assert examined.next_url == next_url
    assert examined.content is not None
    assert examined.content.extractor == "rule/Mills"


def test_no_rule_that_is_shipped_is_broken() -> None:
    assert rules_in().broken == ()
    assert rules_in() != Rules()
    assert BrokenRule("x", "y") not in rules_in().broken


SHIPPED = {
    "Wikipedia and its sisters": (
        "https://en.wikipedia.org/wiki/Mill",
        (
            f"<div class=mw-parser-output><div class=ambox>Needs sources.</div><p>{PROSE}"
            f"<sup class=reference>[1]</sup></p><h2>Use<span class=mw-editsection>[edit]</span></h2>"
            f"<p>{PROSE * 2}</p><div class=navbox>Mills of the world</div></div><p>Retrieved.</p>"
        ),
        [PROSE.strip(), "Use", (PROSE * 2).strip()],
    ),
    "GitHub releases": (
        "https://github.com/mills/mill/releases/tag/v1",
        (
            f"<nav>Code</nav><p>Compare</p><div class='a markdown-body b'><p>{PROSE * 2}</p>"
            "<pre>mill --grind</pre></div><p>Assets</p>"
        ),
        [(PROSE * 2).strip(), "mill --grind"],
    ),
    "Stack Exchange": (
        "https://mills.stackexchange.com/questions/1",
        (
            f"<div class=question><div class=s-prose><p>{PROSE}?</p></div><p>asked today</p></div>"
            f"<div class=answer><p>7</p><div class=s-prose><p>{PROSE}!</p></div></div>"
        ),
        [f"{PROSE}?", f"{PROSE}!"],
    ),
}


@pytest.mark.parametrize("name", [rule.name for rule in rules_in().rules])
def test_every_rule_that_is_shipped_finds_its_article(name: str) -> None:
    url, page, lines = SHIPPED[name]

    content = examine(f"<html><body>{page}".encode(), charset=None, url=url).content

    assert rules_in().of(url) in rules_in().rules
    assert content is not None
    assert content.text.split("\n") == lines


def test_the_preview_shows_what_a_rule_makes_of_a_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = one('".text"') + 'next = ["a"]\n'
    (folder / "mine.toml").write_text(rule + one('"p["', name="Broken"))
    (folder / "page.html").write_text(f"<html><body>{PAGE}<a href=/b>More</a>")

    main([str(folder / "page.html"), "https://mills.example/a", "--rules", str(folder)])
    main([str(folder / "page.html"), "https://other.example/a"])

    shown = capsys.readouterr()
    assert shown.out.startswith(
        f"rule: Mills\ngoes on at https://mills.example/b\n\n{PROSE}Three.\n{PROSE}Four.\nrule: none\n"
    )
    assert shown.err.startswith("broken: Broken: p[: ")
