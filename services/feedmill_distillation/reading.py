"""A passage read for its facts: words, figures, dates, names, quotations. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from feedmill_distillation.figures import NUMBER, SYMBOLS, Figure, figures, grouped, han_figures
from feedmill_distillation.lexicon import Lexicon, fold
from feedmill_distillation.words import words

_TOKEN = re.compile(rf"{NUMBER}|[^\W\d_]+|[{''.join(SYMBOLS)}]|[.,;:!?…—()]")
# didn't, and the letters that other languages leave out.
_NOT = re.compile(r"n['\u2019]t\b", re.IGNORECASE)
# $3m; without the currency it may be metres.
_MILLIONS = re.compile(rf"([$€£]\s?{NUMBER})m\b")
_STEM_CHARACTERS = 6
_BORDERS = frozenset(".,;:!?…—()")
_ENDS = frozenset(".!?…")
_MONTH_IN_DATE = re.compile(
    r"\b(?:\d{4}[-./](\d{1,2})[-./]\d{1,2}|\d{1,2}[-./](\d{1,2})[-./]\d{2,4})\b"
)

_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|mailto:|javascript:|data:)[^\s<>()\[\]'\"]+")

_QUOTED = re.compile(
    r"“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|「([^」]+)」|『([^』]+)』|\"([^\"]+)\"|\u2039([^\u203a]+)\u203a"
    r"|(?<!\w)\u2018((?:[^\u2019]|\u2019(?=\w))+)\u2019(?!\w)"
)
_QUOTE_MARKS = str.maketrans(dict.fromkeys('“”„«»\u2039\u203a「」『』"\u2018\u2019`\u00b4', "'"))
_QUOTE_EDGES = " .,;:!?…、。\uff0c\uff01\uff1f'"

_HAN_OR_KANA = r"\u30a1-\u30fa\u30fc\u3400-\u9fff"
_UNSPACED = re.compile(rf"[\u3041-\u3096\u0e00-\u0eff{_HAN_OR_KANA}]")
_TELLING = re.compile(rf"[{_HAN_OR_KANA}\u0e01-\u0e2e]+|[^\W_\u3041-\u3096]+")


class Token(NamedTuple):
    """A word in its place."""

    word: str
    stem: str
    surface: str
    is_first: bool
    clause: int

    @property
    def is_capitalised(self) -> bool:
        return self.surface[0].isupper()

    @property
    def is_acronym(self) -> bool:
        return len(self.surface) > 1 and any(letter.isupper() for letter in self.surface[1:])


class Reading:
    """One passage, read in one language. What nobody asks for is never computed."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text
        self.lexicon = lexicon

    @cached_property
    def folded(self) -> str:
        return " ".join(fold(self.text.translate(_QUOTE_MARKS)).split())

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Words and numbers, without punctuation."""
        return tuple(_tokens(self.text, self.lexicon))

    @cached_property
    def places(self) -> Mapping[Token, int]:
        """Where each word stands, the first time if it is there twice."""
        return {token: place for place, token in reversed(tuple(enumerate(self.tokens)))}

    @cached_property
    def stems(self) -> frozenset[str]:
        bare = {self.lexicon.stem(self.lexicon.bare(token.word)) for token in self.tokens}
        return frozenset(bare) | {token.stem for token in self.tokens}

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Addresses. A model that was told to send its reader somewhere writes one."""
        return tuple(_LINK.findall(self.folded))

    @cached_property
    def figures(self) -> frozenset[Figure]:
        if self.lexicon.spaceless:
            return frozenset(han_figures(fold(grouped(self.text)), self.lexicon))
        # `at 10 300 people` is two numbers, or one.
        both = {grouped(self.text), self.text}
        return frozenset(f for text in both for f in figures(_measures(text), self.lexicon))

    @cached_property
    def claimed_figures(self) -> frozenset[Figure]:
        """The figures of a claim, which must be there all."""
        if self.lexicon.spaceless:
            return self.figures
        return frozenset(figures(_measures(grouped(self.text)), self.lexicon))

    @cached_property
    def dates(self) -> frozenset[tuple[str, int]]:
        """Months and days of the week."""
        found = set(self._named_dates())
        for month in _MONTH_IN_DATE.finditer(self.text):
            found.add(("month", int(month[1] or month[2])))
        return frozenset(found)

    @cached_property
    def quotations(self) -> tuple[str, ...]:
        found = ("".join(filter(None, groups)) for groups in _QUOTED.findall(self.text))
        return tuple(said for each in found if (said := Reading(each, self.lexicon).said))

    @property
    def said(self) -> str:
        """The words as they are compared with a quotation, in whatever marks and case."""
        return self.folded.strip(_QUOTE_EDGES)

    @cached_property
    def telling(self) -> tuple[Token, ...]:
        """The words that carry meaning: no numbers, nothing every text has."""
        return tuple(token for token in self.tokens if self._tells(token))

    @cached_property
    def traits(self) -> frozenset[str]:
        """What passages about the same thing have in common; cheap, for there are many passages."""
        found = words(fold(self.text))
        return frozenset(word[:_STEM_CHARACTERS] for word in found if word not in self.lexicon.stop)

    @cached_property
    def pairs(self) -> frozenset[str]:
        """Pairs of characters that carry meaning, where no spaces part the words."""
        runs = _TELLING.findall(self._without_figures())
        return frozenset(
            pair
            for run in runs
            for pair in ([run] if run.isascii() else _pairs(run))
            if pair not in self.lexicon.stop
        )

    def _without_figures(self) -> str:
        return re.sub(NUMBER, " ", fold(self.text))

    def _tells(self, token: Token) -> bool:
        lexicon, word = self.lexicon, token.word
        if word[0].isdigit() or word in lexicon.stop or word in lexicon.negators:
            return False
        if word in lexicon.numbers or word in lexicon.units:
            return False
        is_date = word in lexicon.months or word in lexicon.weekdays
        return len(word) > 1 and (not is_date or word in lexicon.shared)

    def _named_dates(self) -> Iterator[tuple[str, int]]:
        lexicon = self.lexicon
        if lexicon.spaceless:
            yield from (
                ("weekday", n) for word, n in lexicon.weekdays.items() if word in self.folded
            )
            return
        for place, token in enumerate(self.tokens):
            if token.word in lexicon.shared and not self._is_dated(place):
                continue
            if token.word in lexicon.months:
                yield "month", lexicon.months[token.word]
            elif token.word in lexicon.weekdays or lexicon.bare(token.word) in lexicon.weekdays:
                yield (
                    "weekday",
                    lexicon.weekdays.get(
                        token.word, lexicon.weekdays.get(lexicon.bare(token.word), 0)
                    ),
                )

    def _is_dated(self, place: int) -> bool:
        """Tell whether a word that may be a month is one: behind `in`, or beside a number."""
        token = self.tokens[place]
        if self.lexicon.language == "en" and not token.is_capitalised:
            return False
        before = self.tokens[place - 1] if place else None
        after = self.tokens[place + 1] if place + 1 < len(self.tokens) else None
        return any(t is not None and t.word[0].isdigit() for t in (before, after)) or (
            before is not None and before.word in self.lexicon.stop
        )


def alike(one: str, other: str) -> bool:
    """Tell whether two words are forms of one: the same beginning, and only an ending of difference."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    common = len(shorter)
    while common and not longer.startswith(shorter[:common]):
        common -= 1
    return common >= 4 and len(shorter) - common <= 1 and len(longer) - common <= 4  # noqa: PLR2004 - a stem; endings


def is_unspaced(text: str) -> bool:
    """Tell whether a text has characters of a script that puts no spaces between words."""
    return _UNSPACED.search(text) is not None


def _tokens(text: str, lexicon: Lexicon) -> Iterator[Token]:
    plain = _NOT.sub(" not", unicodedata.normalize("NFKC", text))
    is_first, clause = True, 0
    for found in _TOKEN.finditer(plain):
        surface = found[0]
        if surface in _BORDERS:
            is_first, clause = is_first or surface in _ENDS, clause + 1
        elif surface not in SYMBOLS:
            word = fold(surface)
            yield Token(word, lexicon.stem(word), surface, is_first, clause)
            is_first = False


def _measures(text: str) -> list[str]:
    plain = _MILLIONS.sub(r"\1 mn", fold(text))
    return [
        found[0] for found in _TOKEN.finditer(plain) if found[0] not in _BORDERS or found[0] == ","
    ]


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(max(1, len(run) - 1))]
