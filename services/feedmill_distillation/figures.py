"""The figures of a text: how much, of what. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from feedmill_distillation.lexicon import Lexicon

# 1,200.5 and 1.200,5 alike; also 1 200 and 1'200, which are one number or two.
NUMBER = r"\d+(?:[.,\u066b\u066c]\d+)*"
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u2009\u202f'\u2019]\d{3})+(?!\d)")
_THOUSANDS = re.compile(r"(?<=\d)[.,\u066c](?=\d{3}(?!\d))")
_GROUP_SPACE = re.compile(r"[ \u00a0\u2009\u202f'\u2019]")
_FIGURE = re.compile(r"0|[1-9]\d*|0?\.\d+|\d+\.\d+")

SYMBOLS = {
    "%": "percent", "٪": "percent", "€": "euro", "$": "dollar", "£": "pound", "¥": "yen",
    "₽": "rouble", "°": "degree",
}  # fmt: skip

_HAN_DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {
    "零": 0, "两": 2, "兩": 2,
}  # fmt: skip
_HAN_TENS = {"十": 10, "百": 100, "千": 1000}
_HAN_SCALES = {"万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12}
_HAN_PART = rf"(?:{NUMBER}|[{''.join([*_HAN_DIGITS, *_HAN_TENS])}]+)"
_HAN_NUMBER = re.compile(
    rf"{_HAN_PART}(?:[{''.join(_HAN_SCALES)}]{_HAN_PART}?)*[{''.join(_HAN_SCALES)}]?"
)
_SCALE = 1000


class Figure(NamedTuple):
    """A number, what it measures if it says so, and the word that it counts."""

    value: Decimal
    unit: str | None = None
    noun: str | None = None


def grouped(text: str) -> str:
    """Return the text with `12 500` as one number."""
    return _GROUPED.sub(lambda found: _GROUP_SPACE.sub("", found[0]), text)


def figures(words: Sequence[str], lexicon: Lexicon) -> tuple[Figure, ...]:
    """Return the figures among words and symbols; that something is one needs no proof.

    Parameters
    ----------
    words
        Folded, in their order, with numbers and the symbols of units among them.
    """
    return tuple(_figures(words, lexicon))


def han_figures(text: str, lexicon: Lexicon) -> tuple[Figure, ...]:
    """Return the figures of a text in which no spaces part the words."""
    found = []
    for number in _HAN_NUMBER.finditer(text):
        value = _han_value(number[0])
        after = text[number.end() :].lstrip("多余餘個个 ")
        unit = SYMBOLS.get(text[number.start() - 1 : number.start()]) or _han_unit(after, lexicon)
        if value is not None and (value != 1 or number[0].isascii()):
            found.append(Figure(value, unit))
    return tuple(found)


def _figures(words: Sequence[str], lexicon: Lexicon) -> Iterator[Figure]:
    place = 0
    while place < len(words):
        values, after = _values(words, place, lexicon)
        before = SYMBOLS.get(words[place - 1]) if place else None
        for value in values:
            unit, noun = _measured(words, after, lexicon)
            yield Figure(value, before or unit, noun)
        place = max(after, place + 1)


def _values(words: Sequence[str], place: int, lexicon: Lexicon) -> tuple[list[Decimal], int]:
    """Return what is counted from this place on, and where that ends."""
    word = words[place]
    if word[0].isdigit():
        values, place = _digits(word), place + 1
        while place < len(words) and lexicon.numbers.get(words[place], 0) >= _SCALE:
            values = [value * lexicon.numbers[words[place]] for value in values]
            place += 1
        return values, place
    run: list[int] = []
    while place < len(words):
        number = lexicon.numbers.get(words[place]) or lexicon.numbers.get(
            lexicon.bare(words[place])
        )
        if number is None and not (run and words[place] == lexicon.and_):
            break
        run += [] if number is None else [number]
        place += 1
    # `millions of people` is no figure.
    counts = bool(run) and not (len(run) == 1 and run[0] >= _SCALE)
    return [Decimal(_spelt(run))] if counts else [], place


def _spelt(run: Sequence[int]) -> int:
    total = current = 0
    for number in run:
        if number >= _SCALE:
            total, current = total + max(current, 1) * number, 0
        elif number == 100 or (number == 20 and current == 4):  # noqa: PLR2004 - two hundred; quatre-vingts
            current = max(current, 1) * number
        else:
            current += number
    return total + current


def _digits(word: str) -> list[Decimal]:
    plain = "".join(str(unicodedata.decimal(character, character)) for character in word)
    plain = plain if plain.startswith("0") else _THOUSANDS.sub("", plain)
    plain = plain.replace(",", ".").replace("\u066b", ".")
    if _FIGURE.fullmatch(plain):
        return [Decimal(plain).normalize()]
    # A date, a version, a time: its parts are what can be compared.
    return [Decimal(part) for part in re.findall(r"\d+", plain)]


def _measured(words: Sequence[str], place: int, lexicon: Lexicon) -> tuple[str | None, str | None]:
    """Return the unit behind a number, else the word it counts."""
    for word in words[place : place + 3]:
        unit = SYMBOLS.get(word) or lexicon.units.get(word) or lexicon.units.get(lexicon.bare(word))
        if unit:
            return unit, None
        if word not in lexicon.stop:
            counted = word.isalpha() and word not in lexicon.months
            return None, lexicon.stem(word) if counted else None
    return None, None


def _han_value(number: str) -> Decimal | None:
    total = Decimal(0)
    part = ""
    for character in number:
        scale = _HAN_SCALES.get(character)
        if scale is None:
            part += character
            continue
        value = _han_part(part) if part else Decimal(1)
        if value is None:
            return None
        total, part = total + value * scale, ""
    rest = _han_part(part) if part else Decimal(0)
    return None if rest is None else (total + rest).normalize()


def _han_part(part: str) -> Decimal | None:
    if part[0] in _HAN_DIGITS or part[0] in _HAN_TENS:
        return Decimal(_han_spelt(part)) if set(part) & set(_HAN_TENS) else _han_row(part)
    values = _digits(part)
    return values[0] if len(values) == 1 else None


def _han_spelt(part: str) -> int:
    total, digit = 0, 0
    for character in part:
        if character in _HAN_TENS:
            total, digit = total + (digit or 1) * _HAN_TENS[character], 0
        else:
            digit = _HAN_DIGITS.get(character, 0)
    return total + digit


def _han_row(part: str) -> Decimal | None:
    digits = [_HAN_DIGITS.get(character) for character in part]
    return None if None in digits else Decimal("".join(str(digit) for digit in digits))


def _han_unit(after: str, lexicon: Lexicon) -> str | None:
    if after[:1] in SYMBOLS:
        return SYMBOLS[after[0]]
    found = [word for word in lexicon.units if after.startswith(word)]
    return lexicon.units[max(found, key=len)] if found else None
