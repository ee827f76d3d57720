"""What a language's words do to a fact: count, measure, date, deny, turn around. Read once each."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

import Stemmer

_FOLDER = resources.files("feedmill_distillation") / "lexicons"
_LANGUAGES = ("en", "de", "fr", "es", "ru", "ar", "zh", "ja")

# Languages whose words we cannot count or deny, but whose endings are known all the same.
_STEMMERS = {
    "ca": "catalan", "cs": "czech", "da": "danish", "el": "greek", "et": "estonian",
    "eu": "basque", "fa": "persian", "fi": "finnish", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

# Letters that are written with or without their marks.
_SAME_LETTER = str.maketrans("ёأإآٱىة", "еااااي\u0647", "\u0640")
# Words come again and again.
_WORD_CHARACTERS = 24

_ARABIC_MARKS = dict.fromkeys(range(0x064B, 0x0653))


class Lexicon:
    """The words of one language, folded.

    Everything is empty for a language that has no file: its figures, names and quotations are
    still compared.
    """

    def __init__(self, language: str, said: Mapping[str, object]) -> None:
        self.language = language
        self.spaceless = said.get("spaceless") is True
        self.nouns_are_capitalised = said.get("nouns_are_capitalised") is True
        self.stop = _words(said, "stop")
        self.negators = _words(said, "not")
        self.no_negators = tuple(sorted(_words(said, "but"), key=len, reverse=True))
        self.by = _words(said, "by")
        self.articles = _words(said, "articles")
        self.at = _words(said, "at")
        self.between = _words(said, "between")
        self.shared = _words(said, "shared")
        self.titles = _words(said, "titles")
        self.prefixes = tuple(sorted(_words(said, "prefixes"), key=len, reverse=True))
        self.months = _in_order(said, "months")
        self.weekdays = _in_order(said, "weekdays")
        self.numbers = _numbers(str(said.get("numbers", "")), language)
        self.and_ = fold(str(said.get("and", "")))
        self.units = _units(said.get("units"))
        self._stemmer = _stemmer(str(said.get("stemmer", "")) or _STEMMERS.get(language))
        self._prefixed_stems = frozenset(map(self.stem, self.titles))
        self.without = frozenset(map(self.stem, _words(said, "without")))
        self.frame = _phrases(said.get("frame"))
        self.opposites = tuple(self._opposites(said))

    def stem(self, word: str) -> str:
        """Return a folded word without its endings."""
        return str(self._stemmer.stemWord(word)) if self._stemmer else word

    def bare(self, word: str) -> str:
        """Return a word without what this language writes in front of it, where it is known so."""
        for prefix in self.prefixes:
            rest = word.removeprefix(prefix)
            if rest != word and len(rest) > 1:
                return rest
        return word

    def is_title(self, word: str) -> bool:
        """Tell whether a name may follow this word."""
        return word in self.titles or self.stem(self.bare(word)) in self._prefixed_stems

    def _opposites(self, said: Mapping[str, object]) -> list[tuple[str, str]]:
        listed = said.get("opposites")
        pairs = [fold(str(pair)).split() for pair in listed] if isinstance(listed, list) else []
        both = [(self.stem(one), self.stem(other)) for one, other in pairs]
        return both + [(other, one) for one, other in both]


def fold(text: str) -> str:
    """Return a text as it is compared: no case, no typography, one form of each letter."""
    return _folded_word(text) if len(text) <= _WORD_CHARACTERS else _folded(text)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_ARABIC_MARKS)
    return plain.translate(_SAME_LETTER)


@lru_cache(maxsize=50_000)
def _folded_word(text: str) -> str:
    return _folded(text)


@cache
def lexicon(language: str) -> Lexicon:
    """Return the lexicon of a primary language tag; an empty one where we have none."""
    if language not in _LANGUAGES:
        return Lexicon(language if language in _STEMMERS else "", {})
    return Lexicon(language, tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8")))


# Scripts that give their language away. Kana before Han: Japanese has both.
_SCRIPTS = {
    "ja": re.compile("[\u3041-\u30ff]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "ru": re.compile("[\u0400-\u04ff]"),
}
_LATIN = ("en", "de", "fr", "es")
_ENOUGH = 0.2
_FEWEST_STOP_WORDS = 2
_DOUBT = 0.6
# Languages whose small words are not those of many others.
_DISTINCT = ("en", "de")
_MANY = 0.3


def language_of(text: str, said: str | None) -> str:
    """Return the primary language of a text: as it looks, else as it is said to be, else English."""
    primary = (said or "").partition("-")[0].lower()
    letters = "".join(filter(str.isalpha, text))
    for language, script in () if letters.isascii() else _SCRIPTS.items():
        if len(script.findall(letters)) > _ENOUGH * len(letters):
            # Other languages share these scripts; only the page can know.
            shares = language in {"ar", "ru"} and primary in {*_STEMMERS, "uk", "bg", "ur"}
            return primary if shares else language
    if primary and primary not in _LANGUAGES:
        return _unmistakable(text) or primary
    return _spoken(text, primary) or (primary if primary in _LATIN else "en")


def _unmistakable(text: str) -> str | None:
    """Return the language of a text that says it has one we do not know, if it is none of those."""
    counts, words = _small_words(text)
    return next((each for each in _DISTINCT if counts[each] > _MANY * words), None)


def _small_words(text: str) -> tuple[dict[str, int], int]:
    words = Counter(fold(text).replace("'", " ").split())
    found = {each: lexicon(each).stop & words.keys() for each in _LATIN}
    counts = {each: sum(map(words.__getitem__, small)) for each, small in found.items()}
    return counts, words.total()


def _spoken(text: str, said: str) -> str | None:
    counts, _ = _small_words(text)
    best = max(counts, key=lambda each: counts[each])
    # Neighbours share their small words, so a language that was named gets the benefit of the doubt.
    if counts.get(said, 0) >= _DOUBT * counts[best]:
        return None
    return best if counts[best] >= _FEWEST_STOP_WORDS else None


def _stemmer(algorithm: str | None) -> "Stemmer.Stemmer | None":
    return Stemmer.Stemmer(algorithm) if algorithm else None


def _words(said: Mapping[str, object], name: str) -> frozenset[str]:
    return frozenset(fold(str(said.get(name, ""))).split())


def _phrases(listed: object) -> tuple[str, ...]:
    return tuple(fold(str(phrase)) for phrase in listed) if isinstance(listed, list) else ()


def _in_order(said: Mapping[str, object], name: str) -> dict[str, int]:
    groups = fold(str(said.get(name, ""))).split()
    return {word: place for place, group in enumerate(groups, 1) for word in group.split("|")}


def _units(said: object) -> dict[str, str]:
    listed = said.items() if isinstance(said, dict) else ()
    return {word: str(unit) for unit, words in listed for word in fold(str(words)).split()}


def _numbers(said: str, language: str) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for group in filter(None, map(str.strip, said.split(";"))):
        value, *words = fold(group).split()
        numbers |= dict.fromkeys(words, int(value))
    return numbers | _compounds(numbers) if language == "de" else numbers


def _compounds(numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the German numbers that are written as one word, up to the thousands."""
    ones = {"ein": 1} | _between(numbers, 1, 9)
    below = dict(numbers) | {
        f"{one}und{ten}": value + more
        for one, value in ones.items()
        for ten, more in _between(numbers, 20, 99).items()
    }
    hundreds = {f"{one}hundert": value * 100 for one, value in ones.items()}
    beyond = {
        hundred + word: value + more
        for hundred, value in hundreds.items()
        for word, more in _between(below, 1, 99).items()
    }
    small = below | hundreds | beyond
    return small | {f"{w}tausend": n * 1000 for w, n in _between(small, 1, 999).items()}


def _between(numbers: Mapping[str, int], first: int, last: int) -> dict[str, int]:
    return {word: value for word, value in numbers.items() if first <= value <= last}
