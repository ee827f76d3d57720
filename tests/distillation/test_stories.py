"""What is the same story in several feeds, and what only looks like it."""

import random

import pytest

from feedmill_distillation.fingerprints import fingerprint
from feedmill_distillation.stories import Told, same_story
from support.articles import ARABIC, ENGLISH, JAPANESE, RUSSIAN

BOILERPLATE = (
    "By the news desk\n{body}\nSubscribe to our newsletter for more stories like this one.",
    "{body}\nRead more: ten things to do this weekend\nAll rights reserved 2026\nUpdated 9:41",
    "Norwick Gazette | Local\nShare this\n{body}\nWhat do you think? Leave a comment below.",
    "(Wire) {body}\nFollow us for the latest. Report an error in this article here.",
)

WEATHER = """\
{place} will see {sky} skies on {day} with a high of {high} degrees and a low of {low} degrees at night.
Winds blow from the {wind} at {speed} kilometres an hour, with gusts of up to {gust} in the afternoon.
The chance of rain is {rain} percent, and the sun sets at {hour}:{minute} in the evening.
Pollen is expected to stay moderate, and the sea has {sea} degrees at the beaches of {place}.
The weather service updates this report every morning and evening for all districts."""

PRICES = """\
Market prices for the week of {day} May, as the growers' union collected them in {place}.
Apples cost {a} euros a kilo, pears cost {b} euros a kilo and plums cost {c} euros a kilo.
Potatoes were sold for {d} euros a sack, onions for {e} euros a sack and carrots for {f} euros a sack.
The union collects prices every week from forty stalls and publishes them without any warranty.
Prices include tax. Prices may differ between stalls. Ask at the stall for the price of the day."""

CHANGES = """\
Release {a}.{b}.{c} of the mill controller is out and can be downloaded from the usual mirrors now.
It fixes {d} bugs, among them a crash in module {e}, and adds {f} settings for the grinding speed.
Everybody should upgrade as soon as they can, because older releases get no more fixes after {g} days.
As always, make a copy of the configuration first, and read the notes about breaking changes.
Thanks to everybody who reported bugs, tested the release candidates or translated the manual."""


def same(one: str, other: str, language: str = "en") -> bool:
    """Tell whether two texts are found and believed to be the same story."""
    found = bool(set(fingerprint(one)) & set(fingerprint(other)))
    return found and same_story(Told(one, language), Told(other, language))


def filled(template: str, seed: int) -> str:
    chance = random.Random(seed)
    numbers = {name: chance.randint(2, 99) for name in "abcdefg"} | {
        name: chance.randint(3, 60) for name in ("high", "low", "speed", "gust", "rain", "minute", "sea")
    }  # fmt: skip
    said = {
        "place": chance.choice(["Norwick", "Easton", "Caldmore", "Redford"]),
        "day": chance.randint(1, 28),
        "sky": chance.choice(["clear", "grey", "cloudy"]),
        "wind": chance.choice(["north", "south", "west"]),
        "hour": chance.randint(17, 21),
    }
    return template.format(**numbers, **said)


def edited(text: str, seed: int) -> str:
    """A wire story after an editor: a sentence dropped, another moved or shortened, words changed."""
    chance = random.Random(seed)
    lines = text.split("\n")
    body = [line.split(". ") for line in lines]
    longest = max(range(len(body)), key=lambda place: len(body[place]))
    body[longest].pop(chance.randrange(1, len(body[longest])))
    done = "\n".join(". ".join(parts) for parts in body)
    for old, new in (("twice what", "double what"), ("said", "told us"), ("makers", "builders")):
        done = done.replace(old, new) if chance.random() < 0.5 else done
    return done


@pytest.mark.parametrize("text", [ENGLISH, RUSSIAN, JAPANESE, ARABIC], ids=["en", "ru", "ja", "ar"])
def test_a_story_is_the_same_in_whatever_frame(text: str) -> None:
    framed = [frame.format(body=text) for frame in BOILERPLATE]

    assert all(same(text, each) for each in framed)


def test_most_edited_wire_stories_are_recognised() -> None:
    pairs = [
        (ENGLISH, BOILERPLATE[seed % 4].format(body=edited(ENGLISH, seed))) for seed in range(60)
    ]

    recall = sum(same(*pair) for pair in pairs) / len(pairs)

    print(f"\n{recall:.0%} of edited stories recognised")
    assert recall >= 0.8


@pytest.mark.parametrize(
    "template", [WEATHER, PRICES, CHANGES], ids=["weather", "prices", "changes"]
)
def test_the_same_template_with_other_facts_is_another_story(template: str) -> None:
    texts = sorted({filled(template, seed) for seed in range(40)})

    wrong = [
        (one, other)
        for place, one in enumerate(texts)
        for other in texts[:place]
        if same(one, other)
    ]

    assert len(texts) >= 30
    assert wrong == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("12,500 homes", "13,500 homes", id="a figure"),
        pytest.param("Mira Holt", "Clara Holt", id="a name"),
        pytest.param("Norwick", "Easton", id="a place"),
        pytest.param("until 2030", "until 2031", id="a year"),
    ],
)
def test_one_other_fact_makes_another_story(old: str, new: str) -> None:
    assert old in ENGLISH
    assert not same(ENGLISH, ENGLISH.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"), [("北浜", "南浜"), ("2021年", "2022年"), ("森さん", "原さん")]
)
def test_one_other_fact_in_japanese_too(old: str, new: str) -> None:
    assert old in JAPANESE
    assert not same(JAPANESE, JAPANESE.replace(old, new), "ja")


def test_a_denial_makes_another_story() -> None:
    assert not same(ENGLISH, ENGLISH.replace("found no change", "found a change"))


def test_a_digest_is_not_each_of_its_stories() -> None:
    digest = f"{ENGLISH}\n{filled(WEATHER, 1)}\n{filled(PRICES, 2)}\n{filled(CHANGES, 3)}"

    assert not same(ENGLISH, digest)


def test_short_texts_are_the_same_only_when_they_are() -> None:
    assert same("The bridge is closed.", "The  bridge is closed!")
    assert same("The bridge is closed.", "The bridge is closed.")
    assert not same("The bridge is closed until May.", "The bridge is closed until June.")


@pytest.mark.parametrize("text", ["", "…", "\n"])
def test_a_text_without_words_has_no_fingerprint(text: str) -> None:
    assert fingerprint(text) == ()


def test_keys_fit_a_column_and_stay_what_they_are() -> None:
    keys = fingerprint(ENGLISH)

    assert len(keys) == 16
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert fingerprint("Stored keys must be found again.") == (
        fingerprint("stored KEYS must be found again!")
    )
    assert fingerprint("A mill.") == (-8694927746162584863,)


def test_unrelated_texts_share_no_keys() -> None:
    chance = random.Random(7)
    vocabulary = [f"word{n}" for n in range(3_000)]
    texts = [" ".join(chance.choices(vocabulary, k=300)) for _ in range(100)]
    keys = [set(fingerprint(text)) for text in texts]

    assert not any(one & other for place, one in enumerate(keys) for other in keys[:place])


@pytest.mark.timeout(20)
def test_time_is_bounded() -> None:
    endless = "".join(f"Sentence {n} of a text is here. " for n in range(20_000))

    fingerprint(endless)
    assert not same_story(Told(endless), Told(endless.replace("is here", "was there")))
