"""Rules from files, each checked by itself: one that is broken is named, and the others hold."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from cssselect import HTMLTranslator, SelectorError
from lxml.etree import XPath, XPathSyntaxError
from lxml.html import HtmlElement
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from feedmill.errors import SettingsError
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

# What begins so is XPath, everything else CSS.
_XPATH = ("/", "(", "./")

# XPath may give numbers and text as well.
Find = Callable[[HtmlElement], object]


class _Written(BaseModel):
    """A rule as people write it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1)
    hosts: list[str] = Field(min_length=1)
    include: list[str] = []
    exclude: list[str] = []
    next: list[str] = []


@dataclass(frozen=True)
class Rule:
    """Where the article is on the pages of some hosts, and what is none of it.

    Attributes
    ----------
    hosts
        Their subdomains are meant as well.
    include
        What finds the article's parts; whatever finds something, finds all of it.
    exclude
        What finds parts of the page that are left out.
    next
        What finds the link to the page where the article goes on.
    """

    name: str
    hosts: tuple[str, ...]
    include: tuple[Find, ...] = field(default=(), repr=False)
    exclude: tuple[Find, ...] = field(default=(), repr=False)
    next: tuple[Find, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class BrokenRule:
    """A rule or a file of rules that cannot be followed, and why."""

    name: str
    problem: str


@dataclass(frozen=True)
class Rules:
    """Rules, and what could have been one."""

    rules: tuple[Rule, ...] = ()
    broken: tuple[BrokenRule, ...] = ()

    def of(self, url: str) -> Rule | None:
        """Return the rule for a page: the last one that names its host, or else a domain above it."""
        labels = (urlsplit(url).hostname or "").split(".")
        for at in range(len(labels) - 1):
            host = ".".join(labels[at:])
            for rule in reversed(self.rules):
                if host in rule.hosts:
                    return rule
        return None


def read_rules(text: str, source: str) -> Rules:
    """Return the rules in a file's text.

    Parameters
    ----------
    source
        What to call the file if it cannot be read.
    """
    try:
        written = tomllib.loads(text).get("rule", [])
    except tomllib.TOMLDecodeError as error:
        return Rules(broken=(BrokenRule(source, str(error)),))
    if not isinstance(written, list):
        return Rules(broken=(BrokenRule(source, "rules begin with [[rule]]"),))
    return _sorted(_read(each, f"{source}, rule {at}") for at, each in enumerate(written, start=1))


def rules_in(folder: str = "") -> Rules:
    """Return the rules that are shipped, and then those in a folder's `.toml` files, which go first.

    Files that were changed meanwhile are read again.
    """
    paths = sorted(Path(folder).glob("*.toml")) if folder else ()
    return _rules_of(tuple((path, _stamp(path)) for path in paths))


def check_folder(folder: Path | None) -> str:
    """Return a folder of rules as `rules_in` takes it, and log which of them are broken.

    Raises
    ------
    SettingsError
        It is no folder.
    """
    if folder is not None and not folder.is_dir():
        raise SettingsError(f"FEEDMILL_RULES_DIR: {folder} is no folder")
    found = str(folder or "")
    for broken in rules_in(found).broken:
        log.warning("rule is broken", rule=broken.name, problem=broken.problem)
    return found


def _stamp(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:
        # Gone, or not ours to see: said when it is read.
        return 0, 0
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=4)
def _rules_of(stamped: tuple[tuple[Path, tuple[int, int]], ...]) -> Rules:
    shipped = files(__package__).joinpath("shipped.toml").read_text("utf-8")
    every = [read_rules(shipped, "shipped.toml")]
    every += [_read_file(path) for path, _ in stamped]
    return Rules(
        tuple(rule for each in every for rule in each.rules),
        tuple(broken for each in every for broken in each.broken),
    )


def _read_file(path: Path) -> Rules:
    try:
        return read_rules(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        return Rules(broken=(BrokenRule(path.name, str(error)),))


def _sorted(every: Iterable[Rule | BrokenRule]) -> Rules:
    found = list(every)
    return Rules(
        tuple(each for each in found if isinstance(each, Rule)),
        tuple(each for each in found if isinstance(each, BrokenRule)),
    )


def _read(written: object, place: str) -> Rule | BrokenRule:
    try:
        rule = _Written.model_validate(written)
    except ValidationError as error:
        return BrokenRule(place, "; ".join(_problems(error)))
    hosts = tuple(host.lower().removeprefix("www.") for host in rule.hosts)
    try:
        finders = (_finders(each) for each in (rule.include, rule.exclude, rule.next))
        return Rule(rule.name, hosts, *finders)
    except ValueError as error:
        return BrokenRule(rule.name, str(error))


def _problems(error: ValidationError) -> Iterator[str]:
    for each in error.errors():
        yield f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ")


def _finders(selectors: Sequence[str]) -> tuple[Find, ...]:
    return tuple(map(_finder, selectors))


def _finder(selector: str) -> Find:
    try:
        path = (
            selector
            if selector.startswith(_XPATH)
            else HTMLTranslator().css_to_xpath(selector, prefix="descendant::")
        )
        found = XPath(path)
    except (SelectorError, XPathSyntaxError) as error:
        raise ValueError(f"{selector}: {error}") from error
    return cast("Find", found)
