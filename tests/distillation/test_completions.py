import json

import pytest

from feedmill_distillation.completions import Usage, read_completion


def body(**choice: object) -> str:
    return json.dumps({"choices": [{"message": {"content": "Text."}, **choice}]})


def test_a_completion_is_read() -> None:
    completion = read_completion(body(finish_reason="stop", index=0))

    assert completion is not None
    assert (completion.content, completion.refused, completion.truncated) == ("Text.", False, False)


@pytest.mark.parametrize(
    ("choice", "refused", "truncated"),
    [
        pytest.param({"finish_reason": "length"}, False, True, id="cut off"),
        pytest.param({"finish_reason": "content_filter"}, True, False, id="filtered"),
        pytest.param({"message": {"refusal": "No."}}, True, False, id="refused"),
        pytest.param({"message": {"content": None}}, False, False, id="silent"),
    ],
)
def test_endings_are_told_apart(choice: dict[str, object], refused: bool, truncated: bool) -> None:
    completion = read_completion(body(**choice))

    assert completion is not None
    assert (completion.refused, completion.truncated) == (refused, truncated)


@pytest.mark.parametrize(
    "other", ["", "<h1>Welcome</h1>", "[]", "{}", '{"choices": []}', '{"error": "no"}']
)
def test_anything_else_is_no_completion(other: str) -> None:
    assert read_completion(other) is None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3}, Usage(prompt_tokens=7, completion_tokens=3)),
        ({"prompt_tokens": 7, "completion_tokens": None}, Usage(prompt_tokens=7)),
        ({"prompt_tokens": -1, "completion_tokens": 10**12}, Usage()),
        (None, None),
    ],
)
def test_nonsense_about_tokens_costs_no_answer(usage: object, expected: Usage | None) -> None:
    read = read_completion(json.dumps({**json.loads(body()), "usage": usage}))

    assert read is not None
    assert read.usage == expected
