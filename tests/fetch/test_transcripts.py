"""What is said in recordings, by whom, however it was written down."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedmill.models.feeds import Transcript
from feedmill.web.plain import storable
from feedmill_fetch.speeches import Speech, joined, named
from feedmill_fetch.transcripts import best_transcript, read_transcript

VTT = """WEBVTT - The Mill Hour

STYLE
::cue { color: red }

NOTE Made by a machine

1
00:00:00.000 --> 00:00:04.000 align:start
<v Ann Miller>Welcome to the Mill &amp; River
Hour.</v>

00:00:04.000 --> 00:00:06.000
<v.loud.host Ann Miller>Today we have <i>Bob</i>.

00:06.000 --> 00:08.000
<v Bob>Good morning.</v> <v Ann Miller>So it is!

00:08.000 --> 00:09.000

"""
SRT = """1
00:00:00,000 --> 00:00:04,000
Ann Miller: Welcome to the Mill &amp; River
Hour.

2
00:00:04,000 --> 00:00:06,000
{\\an8}Today we have <i>Bob</i>.

3
00:00:06,000 --> 00:00:07,000
Bob: Good morning.

4
00:00:07,000 --> 00:00:08,000
Ann Miller: So it is!
"""
JSON = json.dumps({
    "version": "1.0.0",
    "segments": [
        {"speaker": "Ann Miller", "startTime": 0.0, "endTime": 4, "body": "Welcome to the Mill & River Hour."},
        {"speaker": "Ann Miller", "startTime": 4, "body": " Today we have Bob."},
        {"speaker": "Bob", "body": "Good morning."},
        {"speaker": "Ann Miller", "body": "So it is!"},
        {"speaker": "Bob", "body": None},
        "nonsense",
    ],
})  # fmt: skip
HTML = """<cite>Ann Miller:</cite><time>0:00</time>
<p>Welcome to the Mill &amp; River Hour. Today we have <i>Bob</i>.</p>
<cite>Bob:</cite><time>0:06</time><p>Good morning.<script>alert(1)</script></p>
<cite>Ann Miller:</cite><time>0:07</time><p>So it is!</p>"""
HTML_PAGE = """<!DOCTYPE html><html><head><title>Transcript</title></head><body>
<p><b>Ann Miller:</b> Welcome to the Mill &amp; River Hour. Today we have Bob.</p>
<p><b>Bob:</b> Good morning.</p><p><b>Ann Miller:</b> So it is!</p></body></html>"""
PLAIN = """Ann Miller: Welcome to the Mill & River Hour. Today we have Bob.

Bob: Good morning.

Ann Miller: So it is!
"""
PLAIN_WITH_TIMES = """Ann Miller  0:00
Welcome to the Mill & River Hour. Today we have Bob.

Bob (00:00:06)
Good morning.

[0:07] Ann Miller: So it is!
"""
SAID = (
    "Ann Miller: Welcome to the Mill & River Hour. Today we have Bob.",
    "Bob: Good morning.",
    "Ann Miller: So it is!",
)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(VTT, id="WebVTT"),
        pytest.param("\ufeff" + VTT.replace("\n", "\r\n"), id="WebVTT of another system"),
        pytest.param(SRT, id="SRT"),
        pytest.param(JSON, id="JSON"),
        pytest.param(HTML, id="HTML as podcasts have it"),
        pytest.param(HTML_PAGE, id="an HTML page"),
        pytest.param(PLAIN, id="plain text"),
        pytest.param(PLAIN_WITH_TIMES, id="plain text with times"),
    ],
)
def test_a_transcript_reads_the_same_whatever_it_is_written_in(written: str) -> None:
    assert read_transcript(written.encode(), None) == SAID


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01 \n",
        b"WEBVTT",
        b"WEBVTT\n\n00:00.000 --> nonsense\nx\n",
        b"1\n00:00:00,000 --> 00:00:0",
        b"{",
        b'{"segments": {"body": "x"}}',
        b'[{"speaker": 1, "body": ["x"]}, 7]',
        b"[" * 100_000,
        b"<html><body><script>x</script></body></html>",
        b"<!-- x -->",
    ],
)
def test_what_is_no_transcript_says_nothing(body: bytes) -> None:
    assert read_transcript(body, "utf-8") == ()


def test_captions_become_paragraphs_that_end_with_a_sentence() -> None:
    cues = "\n".join(
        f"00:{at // 60:02}:{at % 60:02}.000 --> 00:{at // 60:02}:{at % 60:02}.900\n"
        f"the wheel turned for the {at}th time{'.' if at % 5 == 4 else ' and'}\n"
        for at in range(60)
    )

    lines = read_transcript(f"WEBVTT\n\n{cues}".encode(), None)

    assert len(lines) > 2
    assert all(line.endswith(".") and len(line) < 1_500 for line in lines)
    assert " ".join(lines).count("turned") == 60


def test_who_never_ends_a_sentence_is_interrupted() -> None:
    lines = joined(
        [Speech("Ann", "and then the wheel turned")] * 1
        + [Speech("", f"and turned for the {at}th time") for at in range(200)]
    )

    assert lines[0].startswith("Ann: and then")
    assert max(map(len, lines)) < 1_600
    # The name stands where somebody begins, once.
    assert sum(line.startswith("Ann: ") for line in lines) == 1


def test_a_line_that_rolls_is_said_once() -> None:
    assert joined([Speech("", "One."), Speech("", "One."), Speech("", "Two.")]) == ["One. Two."]
    rolling = ["One.", "One.\nTwo.", "Two.", "Two.\nThree.", "Three."]
    assert joined(Speech("", lines) for lines in rolling) == ["One. Two. Three."]


def test_who_says_the_same_as_another_has_said_it() -> None:
    said = [Speech("Ann", "Yes."), Speech("Bob", "Yes."), Speech("Bob", "Good.")]

    assert joined(said) == ["Ann: Yes.", "Bob: Yes. Good."]


@pytest.mark.parametrize(
    ("lines", "paragraph"),
    [
        pytest.param(
            ["今日は天気が\nとても良い", "ですね。"], "今日は天気がとても良いですね。", id="ja"
        ),
        pytest.param(
            ["磨坊主数了数", "他的面粉。", "Then OK"], "磨坊主数了数他的面粉。 Then OK", id="zh"
        ),
        pytest.param(["방앗간 주인이", "셌다."], "방앗간 주인이 셌다.", id="ko"),
        pytest.param(["ספר הטוחן", "את השקים."], "ספר הטוחן את השקים.", id="he"),
    ],
)
def test_lines_go_on_as_their_script_does(lines: list[str], paragraph: str) -> None:
    assert joined(Speech("", line) for line in lines) == [paragraph]


def test_no_word_is_lost_to_a_longer_one_that_ends_like_it() -> None:
    words = ["I", "said", "that", "at", "noon", "on", "Monday", "a", "day"]

    assert joined([Speech("Ann", word) for word in words]) == [f"Ann: {' '.join(words)}"]


@pytest.mark.parametrize(
    ("line", "speaker"),
    [
        ("Ann: Yes.", "Ann"),
        (">> Ann: Yes.", "Ann"),
        ("Dr. Ann O'Neil-Miller: Yes.", "Dr. Ann O'Neil-Miller"),
        ("Мельник: Да.", "Мельник"),
        ("This is what the old miller said: Yes.", ""),
        ("10:30: Yes.", ""),
        ("https://mills.example/", ""),
        ("Ann:Yes.", ""),
        ("Ann:", ""),
        (": Yes.", ""),
    ],
)
def test_a_name_and_a_colon_say_who_speaks(line: str, speaker: str) -> None:
    assert named(line).speaker == speaker


@pytest.mark.parametrize(
    ("types", "best"),
    [
        (["text/plain", "text/html", "application/x-subrip", "text/vtt"], "text/vtt"),
        (["application/srt", "application/json"], "application/json"),
        (["application/pdf", "text/plain"], "text/plain"),
        ([""], ""),
        (["application/pdf"], None),
        ([], None),
    ],
)
def test_of_several_transcripts_the_one_is_read_that_says_most(
    types: list[str], best: str | None
) -> None:
    offered = [
        Transcript(url=f"https://x.example/{at}", media_type=each) for at, each in enumerate(types)
    ]

    found = best_transcript(offered)

    assert (found and found.media_type) == best


@pytest.mark.parametrize(
    ("language", "best"),
    [("de-AT", "/de"), ("fr", "/en"), (None, "/en"), ("EN", "/en")],
)
def test_the_transcript_in_the_language_of_the_page_is_the_one(
    language: str | None, best: str
) -> None:
    offered = [
        Transcript(url="/captions", media_type="text/vtt", language="en", is_captions=True),
        Transcript(url="/en", media_type="text/vtt", language="en_GB"),
        Transcript(url="/de", media_type="text/plain", language="de"),
    ]

    found = best_transcript(offered, language)

    assert found is not None
    assert found.url == best


_PIECES = [
    "WEBVTT", "NOTE x", "STYLE", "REGION", "00:00.000 --> 00:01.000", "00:00:00,000 --> 00:00:01,000",
    "-->", "1", "\n", "\n\n", "<v Ann>", "</v>", "<v.", "<", ">", "&lt;", "&#1;", "{\\an8}", "Ann:", "0:00", "{",
    '{"segments": [', '{"speaker": "Ann", "body": "x"}', "]}", "<html>", "<cite>", "<p>", "\x00", "\ufeff",
]  # fmt: skip
_quick = settings(max_examples=200, deadline=None, derandomize=True)


@_quick
@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=8), max_size=20).map("".join))
def test_no_transcript_is_too_broken_to_be_read(written: str) -> None:
    lines = read_transcript(written.encode("utf-8", "replace"), None)

    assert all(line == storable(line).strip() and "\n" not in line for line in lines)


@_quick
@given(st.binary(max_size=200))
def test_no_bytes_are_too_broken_to_be_read(body: bytes) -> None:
    read_transcript(body, None)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"WEBVTT\n\n" + b"00:00.000 --> 00:01.000\n<v a\n\n" * 60_000, id="captions"),
        pytest.param(b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"<v.a" * 400_000, id="one caption"),
        pytest.param(b"1\n00:00:00,000 --> 00:00:01,000\n" + b"{\\" * 800_000, id="marks"),
        pytest.param(b"a " * 1_000_000, id="words"),
        pytest.param(b"0:00-" * 400_000, id="times"),
        pytest.param(b"a\n" * 800_000, id="lines"),
        pytest.param(b"a\n\n" * 500_000, id="paragraphs"),
        pytest.param(b'[{"speaker":"a","body":"b c d"}' + b',{"body":"c"}' * 100_000 + b"]", id="JSON"),
    ],
)  # fmt: skip
def test_no_transcript_takes_time_that_grows_with_its_square(body: bytes) -> None:
    began = time.process_time()

    lines = read_transcript(body, "utf-8")

    assert time.process_time() - began < 8
    assert sum(map(len, lines)) <= 600_000
