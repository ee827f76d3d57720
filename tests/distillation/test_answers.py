import json

import pytest

from feedmill_distillation.answers import Answer, Claim, InvalidAnswer, read_answer

GOOD = {
    "summary": "It says this.",
    "key_points": [{"text": "One thing.", "first_line": 1, "last_line": 2}],
    "topics": ["power", "sea"],
    "relevance": 0.5,
    "language": "en",
}
ANSWER = Answer(
    summary="It says this.",
    key_points=(Claim(text="One thing.", first_line=1, last_line=2),),
    topics=("power", "sea"),
    relevance=0.5,
    language="en",
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps(GOOD), id="bare"),
        pytest.param(f"```json\n{json.dumps(GOOD, indent=2)}\n```", id="fenced"),
        pytest.param(f"Here you are:\n{json.dumps(GOOD)}\nAnything else?", id="between words"),
        pytest.param(f"<think>{{hm}} {{</think>{json.dumps(GOOD)}", id="behind thoughts"),
        pytest.param(json.dumps({**GOOD, "title": "More"}), id="with a field too many"),
        pytest.param(
            json.dumps({**GOOD, "summary": "It says~this."}).replace("~", "\n\t"),
            id="line breaks as they are",
        ),
        pytest.param(
            json.dumps({**GOOD, "summary": " It\n\nsays \x00this. "}), id="white space, controls"
        ),
    ],
)
def test_an_answer_is_read(content: str) -> None:
    assert read_answer(content) == ANSWER


def test_whole_numbers_and_unknown_languages_are_fine() -> None:
    read = read_answer(json.dumps({**GOOD, "relevance": 1, "language": None}))

    assert read == ANSWER.model_copy(update={"relevance": 1.0, "language": None})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("", "There is no JSON object in it.", id="empty"),
        pytest.param("I cannot do that.", "There is no JSON object in it.", id="words"),
        pytest.param("}{", "There is no JSON object in it.", id="the wrong way round"),
        pytest.param('{"summary": }', "answer: Invalid JSON", id="not JSON"),
        pytest.param("{" * 10_000 + "}", "answer: Invalid JSON", id="deep"),
        pytest.param('{"summary": "\\ud800"}', "answer: Invalid JSON", id="half a character"),
        pytest.param("{}", "summary: Field required\nkey_points: Field required", id="nothing"),
        pytest.param(
            json.dumps({**GOOD, "summary": " \n "}), "summary: Value error, must have", id="blank"
        ),
        pytest.param(
            json.dumps({**GOOD, "summary": "x" * 2_001}), "summary: Value error", id="endless"
        ),
        pytest.param(
            json.dumps({**GOOD, "relevance": 7}),
            "relevance: Value error, must be between 0 and 1",
            id="relevance out of range",
        ),
        pytest.param(
            json.dumps({**GOOD, "relevance": float("nan")}), "relevance: Value error", id="NaN"
        ),
        pytest.param(
            json.dumps({**GOOD, "relevance": "0.5"}), "relevance: Input should be", id="a string"
        ),
        pytest.param(
            json.dumps({**GOOD, "key_points": [{"text": "No lines."}]}),
            "key_points.0.first_line: Field required",
            id="a key point without lines",
        ),
    ],
)
def test_what_cannot_be_used_is_said_in_words(content: str, problem: str) -> None:
    read = read_answer(content)

    assert isinstance(read, InvalidAnswer)
    assert read.problem.startswith(problem)


def test_problems_do_not_repeat_the_answer() -> None:
    read = read_answer(json.dumps({**GOOD, "relevance": "SECRET", "topics": ["SECRET", 7]}))

    assert isinstance(read, InvalidAnswer)
    assert "SECRET" not in read.problem
