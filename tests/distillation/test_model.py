"""The model distiller against a real server that misbehaves in every way it can."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
import structlog
from pydantic import SecretStr

from feedmill.errors import ModelUnavailableError
from feedmill.models.distillates import (
    Distillate,
    EntryUndistillable,
    KeyPoint,
    Passage,
    SummarySentence,
)
from feedmill.models.outcomes import Reason
from feedmill_distillation.dialect import ANSWER_TOKENS
from feedmill_distillation.model import ModelDistiller, open_model
from feedmill_distillation.prompt import system_message
from feedmill_distillation.recipe_files import STANDARD, RecipeFile, read_recipes
from support import model_server as serve
from support.articles import article
from support.model_server import ModelServer, open_model_server

KEY = SecretStr("sk-very-secret")

TEXT = "The bridge is closed until 3 May.\nUse the ferry.\nIt runs hourly.\nIt costs nothing."
ARTICLE = article(TEXT, entry_id=7)

GOOD = Distillate(
    summary="The bridge is closed until 3 May.",
    sentences=(SummarySentence(start=0, end=33, sources=(Passage(start=0, end=33),)),),
    key_points=(
        KeyPoint(text="The bridge is closed until 3 May.", start=0, end=33),
        KeyPoint(text="Use the ferry.", start=34, end=48),
        KeyPoint(text="It runs hourly.", start=49, end=64),
    ),
    topics=("testing",),
    relevance=0.7,
    language="en",
    relevance_reason="It is about the bridge.",
    reading_minutes=1,
    article_start=0,
    article_end=len(TEXT),
    calls=1,
    cost_nanos=None,
    prompt_tokens=serve.PROMPT_TOKENS,
    completion_tokens=serve.COMPLETION_TOKENS,
)
TWO_TURNS = GOOD.model_copy(
    update={
        "calls": 2,
        "prompt_tokens": 2 * serve.PROMPT_TOKENS,
        "completion_tokens": 2 * serve.COMPLETION_TOKENS,
    }
)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with open_model_server() as opened:
        yield opened


@pytest_asyncio.fixture
async def model(server: ModelServer) -> AsyncIterator[ModelDistiller]:
    async with open_model(server.url, "small", KEY, seconds=5) as opened:
        yield opened


def dead_end(reason: Reason, detail: str = "") -> EntryUndistillable:
    return EntryUndistillable(entry_id=7, reason=reason, detail=detail)


async def test_an_article_becomes_a_distillate(server: ModelServer, model: ModelDistiller) -> None:
    assert await model.distill(ARTICLE) == GOOD

    [request] = server.requests
    assert request.model == "small"
    assert request.authorization == "Bearer sk-very-secret"
    assert request.format == "json_schema"
    assert request.token_limits == {"max_tokens": ANSWER_TOKENS}
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[0].content == system_message(read_recipes(None)[STANDARD])
    assert list(request.lines.values()) == TEXT.split("\n")


async def test_the_recipe_names_the_model(model: ModelDistiller) -> None:
    assert (model.recipe.distiller, model.recipe.model) == ("model", "small")


async def test_a_server_that_wants_no_key_gets_none_of_ours(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-something-else")

    async with open_model(server.url, "small", None) as model:
        await model.distill(ARTICLE)

    assert server.requests[0].authorization == "Bearer none"


def long_article(paragraphs: int) -> str:
    return "\n".join(
        f"Paragraph {n}. " + "It says one thing and then another. " * 12
        for n in range(1, paragraphs + 1)
    )


async def test_a_long_article_is_distilled_in_parts_and_merged(server: ModelServer) -> None:
    text = long_article(30)
    file = RecipeFile(name="x", input_tokens=2_500, prompt="Distil.")

    async with open_model(server.url, "small", None, file=file) as model:
        distillate = await model.distill(article(text))

    assert isinstance(distillate, Distillate)
    *parts, merging = server.requests
    assert len(parts) >= 2
    # Every line is shown once, under its own number, and no paragraph is torn.
    assert [number for part in parts for number in part.lines] == list(range(1, 31))
    assert all(part.lines[min(part.lines)].startswith("Paragraph") for part in parts)
    assert all(f"Part {n}:" in merging.article for n in range(1, len(parts) + 1))
    # Each part is paid for, and so is putting them together.
    assert distillate.calls == len(server.requests) == len(parts) + 1
    assert distillate.prompt_tokens == serve.PROMPT_TOKENS * distillate.calls


async def test_what_is_endless_is_cut(server: ModelServer) -> None:
    file = RecipeFile(name="x", input_tokens=2_500, most_parts=2, prompt="Distil.")

    async with open_model(server.url, "small", None, file=file) as model:
        await model.distill(article(long_article(200)))

    assert len(server.requests) == 3


async def test_a_recipe_says_how_the_model_is_asked(server: ModelServer) -> None:
    file = RecipeFile(
        name="x",
        language="de",
        topics=("Machine Learning",),
        other_topics=False,
        temperature=0.2,
        answer_tokens=500,
        prompt="Be brief.",
    )
    server.script(serve.changed(topics=["machine-learning", "MACHINE learning", "cats"]))

    async with open_model(server.url, "small", None, file=file) as model:
        distillate = await model.distill(ARTICLE)

    [request] = server.requests
    assert request.messages[0].content.startswith("Be brief.")
    assert "language with the tag de" in request.messages[0].content
    assert "Machine Learning" in request.messages[0].content
    assert (request.temperature, request.token_limits) == (0.2, {"max_tokens": 500})
    assert isinstance(distillate, Distillate)
    assert (distillate.topics, distillate.language) == (("Machine Learning",), "de")


async def test_a_reader_may_want_another_language_than_the_recipe_leaves_open(
    server: ModelServer, model: ModelDistiller
) -> None:
    german = model.in_language("de")

    await german.distill(ARTICLE)

    assert "language with the tag de" in server.requests[0].messages[0].content
    assert german.recipe.id != model.recipe.id
    assert (german.recipe.language, german.recipe.name) == ("de", "standard")
    assert german.in_language("fr") is german


async def test_an_endpoint_that_takes_no_temperature_is_asked_without(server: ModelServer) -> None:
    file = RecipeFile(name="x", temperature=0.2, prompt="Distil.")
    server.script(serve.error(400, "Unsupported value: 'temperature' does not support 0.2"))

    async with open_model(server.url, "small", None, file=file) as model:
        await model.distill(ARTICLE)

    assert [request.temperature for request in server.requests] == [0.2, None]


async def test_an_answer_word_by_word_is_the_same_answer(server: ModelServer) -> None:
    async with open_model(server.url, "small", KEY, streaming=True) as model:
        assert await model.distill(ARTICLE) == GOOD

    assert [request.stream for request in server.requests] == [True]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(serve.broken_off, "broke off", id="no end"),
        pytest.param(serve.failing_stream, "no connection, or it was lost", id="error inside"),
        pytest.param(serve.garbled_stream, "no connection, or it was lost", id="no JSON"),
        pytest.param(serve.rate_limited(7), "HTTP 429", id="refused"),
        pytest.param(serve.dropped, "no connection, or it was lost", id="dropped"),
    ],
)
async def test_a_stream_that_breaks_is_no_answer(
    server: ModelServer, answer: serve.Answer, message: str
) -> None:
    server.script(answer)

    async with open_model(server.url, "small", KEY, seconds=5, streaming=True) as model:
        with pytest.raises(ModelUnavailableError, match=message) as raised:
            await model.distill(ARTICLE)
        assert "sk-very-secret" not in repr(raised.value.__cause__)
        assert await model.distill(ARTICLE) == GOOD


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(serve.refusal, Reason.MODEL_REFUSED, id="refusal"),
        pytest.param(serve.filtered, Reason.MODEL_REFUSED, id="content filter"),
        pytest.param(serve.context_exceeded, Reason.MODEL_CONTEXT_EXCEEDED, id="context"),
    ],
)
async def test_what_a_model_will_not_do_is_an_outcome_word_by_word_too(
    server: ModelServer, answer: serve.Answer, reason: Reason
) -> None:
    server.script(answer)

    async with open_model(server.url, "small", KEY, streaming=True) as model:
        verdict = await model.distill(ARTICLE)

    assert isinstance(verdict, EntryUndistillable)
    assert verdict.reason == reason


async def test_an_article_without_words_is_not_sent(
    server: ModelServer, model: ModelDistiller
) -> None:
    assert await model.distill(article(" \n… ", entry_id=7)) == dead_end(Reason.NO_TEXT)
    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(serve.wrapped("```json\n", "\n```"), id="fences"),
        pytest.param(serve.wrapped("<think>{hm}</think>", "  Anything else?"), id="thoughts"),
    ],
)
async def test_words_around_the_answer_do_not_matter(
    server: ModelServer, model: ModelDistiller, answer: serve.Answer
) -> None:
    server.script(answer)

    assert await model.distill(ARTICLE) == GOOD


async def test_claims_the_article_does_not_bear_out_are_dropped(
    server: ModelServer, model: ModelDistiller
) -> None:
    invented = [
        {"text": "It opens on 9 May.", "first_line": 1, "last_line": 1},
        {"text": "The ferry runs hourly.", "first_line": 3, "last_line": 3},
        {"text": "The mayor resigns.", "first_line": 12, "last_line": 12},
    ]
    server.script(serve.changed(key_points=invented))

    distillate = await model.distill(ARTICLE)

    kept = KeyPoint(text="The ferry runs hourly.", start=49, end=64)
    assert distillate == GOOD.model_copy(update={"key_points": (kept,)})
    assert TEXT[kept.start : kept.end] == "It runs hourly."


async def test_topics_and_language_are_tidied(server: ModelServer, model: ModelDistiller) -> None:
    topics = ["Ferries", "", "ferries", "x" * 61, *(f"topic {n}" for n in range(20))]
    server.script(serve.changed(topics=topics, language="English, I think"))

    distillate = await model.distill(ARTICLE)

    expected = ("Ferries", *(f"topic {n}" for n in range(11)))
    assert distillate == GOOD.model_copy(update={"topics": expected, "language": "en"})


@pytest.mark.parametrize(
    ("answer", "objection"),
    [
        pytest.param(serve.bad_json, "There is no JSON object in it.", id="bad JSON"),
        pytest.param(serve.wrong_schema, "relevance: Input should be", id="wrong schema"),
        pytest.param(serve.saying(None), "There is no JSON object in it.", id="silence"),
        pytest.param(serve.cut_off, "cut off because it was too long", id="truncation"),
    ],
)
async def test_a_model_may_correct_itself_once(
    server: ModelServer, model: ModelDistiller, answer: serve.Answer, objection: str
) -> None:
    server.script(answer)

    assert await model.distill(ARTICLE) == TWO_TURNS

    first, second = server.requests
    assert second.messages[:2] == first.messages
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "user"]
    assert all(message.content for message in second.messages)
    assert objection in second.last


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(
            [serve.bad_json, serve.bad_json],
            dead_end(Reason.MODEL_ANSWER_INVALID, "There is no JSON object in it."),
            id="bad JSON twice",
        ),
        pytest.param(
            [serve.bad_json, serve.changed(relevance=2)],
            dead_end(
                Reason.MODEL_ANSWER_INVALID, "relevance: Value error, must be between 0 and 1"
            ),
            id="bad JSON, then a wrong schema",
        ),
        pytest.param(
            [serve.cut_off, serve.cut_off],
            dead_end(Reason.MODEL_ANSWER_INVALID, "truncated"),
            id="truncated twice",
        ),
        pytest.param([serve.refusal], dead_end(Reason.MODEL_REFUSED), id="refusal"),
        pytest.param([serve.filtered], dead_end(Reason.MODEL_REFUSED), id="content filter"),
        pytest.param(
            [serve.bad_json, serve.refusal], dead_end(Reason.MODEL_REFUSED), id="second thoughts"
        ),
        pytest.param(
            [serve.context_exceeded],
            dead_end(Reason.MODEL_CONTEXT_EXCEEDED, "HTTP 400"),
            id="context",
        ),
        pytest.param(
            [serve.error(400, "content management policy", code="content_filter")],
            dead_end(Reason.MODEL_REFUSED, "HTTP 400"),
            id="content filter before the model",
        ),
    ],
)
async def test_what_a_model_will_not_do_is_an_outcome(
    server: ModelServer,
    model: ModelDistiller,
    answers: list[serve.Answer],
    expected: EntryUndistillable,
) -> None:
    server.script(*answers)

    assert await model.distill(ARTICLE) == expected
    assert len(server.requests) == len(answers)


@pytest.mark.parametrize(
    ("answer", "message", "retry_after"),
    [
        pytest.param(serve.rate_limited(7), "HTTP 429", timedelta(seconds=7), id="rate limit"),
        pytest.param(serve.rate_limited(), "HTTP 429", None, id="rate limit without a time"),
        pytest.param(
            serve.error(503, headers={"Retry-After": "30"}),
            "HTTP 503",
            timedelta(seconds=30),
            id="overload",
        ),
        pytest.param(serve.broken, "HTTP 500", None, id="broken"),
        pytest.param(serve.dropped, "no connection, or it was lost", None, id="dropped"),
        pytest.param(
            serve.unauthorized, "Check FEEDMILL_MODEL_API_KEY", timedelta(minutes=1), id="key"
        ),
        pytest.param(
            serve.error(403), "Check FEEDMILL_MODEL_API_KEY", timedelta(minutes=1), id="forbidden"
        ),
        pytest.param(
            serve.unknown_model, "Check FEEDMILL_MODEL_NAME", timedelta(minutes=1), id="no model"
        ),
        pytest.param(
            serve.unrecognised, "refused every request", timedelta(minutes=1), id="no request"
        ),
        pytest.param(
            serve.no_completion, "check FEEDMILL_MODEL_URL", timedelta(minutes=1), id="no API"
        ),
    ],
)
async def test_an_endpoint_without_an_answer_costs_no_article(
    server: ModelServer,
    model: ModelDistiller,
    answer: serve.Answer,
    message: str,
    retry_after: timedelta | None,
) -> None:
    server.script(answer)

    with pytest.raises(ModelUnavailableError, match=message) as raised:
        await model.distill(ARTICLE)

    assert raised.value.retry_after == retry_after
    assert len(server.requests) == 1, "Temporal owns retries"
    assert await model.distill(ARTICLE) == GOOD


@pytest.mark.parametrize(
    "answer", [serve.slow(5), serve.dripping(5)], ids=["silent", "drop by drop"]
)
async def test_a_slow_model_is_given_up_in_time(server: ModelServer, answer: serve.Answer) -> None:
    server.script(answer)

    async with open_model(server.url, "small", KEY, seconds=0.3) as model:
        with pytest.raises(ModelUnavailableError, match="timed out"):
            await model.distill(ARTICLE)


async def test_nobody_listening_is_no_connection() -> None:
    async with open_model("http://127.0.0.1:1/v1", "small", KEY) as model:
        with pytest.raises(ModelUnavailableError, match="no connection"):
            await model.distill(ARTICLE)


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        pytest.param(["json_object"], ["json_schema", "json_object"], id="JSON mode only"),
        pytest.param([], ["json_schema", "json_object", "json_object", "text"], id="neither"),
    ],
)
async def test_a_simpler_endpoint_is_asked_more_simply_from_then_on(
    server: ModelServer, model: ModelDistiller, known: list[serve.Format], asked: list[str]
) -> None:
    server.formats = known

    assert await model.distill(ARTICLE) == GOOD
    assert [request.format for request in server.requests] == asked

    assert await model.distill(ARTICLE) == GOOD
    assert [request.format for request in server.requests] == [*asked, asked[-1]]


async def test_the_token_limit_goes_under_the_name_the_endpoint_knows(
    server: ModelServer, model: ModelDistiller
) -> None:
    server.limit_name = "max_completion_tokens"

    assert await model.distill(ARTICLE) == GOOD
    assert server.requests[-1].token_limits == {"max_completion_tokens": ANSWER_TOKENS}


def limits(server: ModelServer) -> list[int | None]:
    return [request.token_limits.get("max_tokens") for request in server.requests]


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        pytest.param([serve.completion_limit_too_large], [ANSWER_TOKENS, 2_048], id="output cap"),
        pytest.param(
            [serve.context_exceeded_by_completion(ANSWER_TOKENS)],
            [ANSWER_TOKENS, 2_048],
            id="context",
        ),
        pytest.param(
            [
                serve.context_exceeded_by_completion(ANSWER_TOKENS),
                serve.context_exceeded_by_completion(2_048),
            ],
            [ANSWER_TOKENS, 2_048, None],
            id="context, nearly filled by the prompt",
        ),
    ],
)
async def test_an_endpoint_with_less_room_is_asked_for_shorter_answers_from_then_on(
    server: ModelServer,
    model: ModelDistiller,
    answers: list[serve.Answer],
    asked: list[int | None],
) -> None:
    server.script(*answers)

    assert await model.distill(ARTICLE) == GOOD
    assert limits(server) == asked

    assert await model.distill(ARTICLE) == GOOD
    assert limits(server) == [*asked, asked[-1]]


async def test_a_text_that_does_not_fit_without_an_answer_either_is_too_long(
    server: ModelServer, model: ModelDistiller
) -> None:
    server.script(
        serve.context_exceeded_by_completion(ANSWER_TOKENS, prompt_tokens=9_000),
        serve.context_exceeded_by_completion(2_048, prompt_tokens=9_000),
        serve.context_exceeded,
    )

    assert await model.distill(ARTICLE) == dead_end(Reason.MODEL_CONTEXT_EXCEEDED, "HTTP 400")
    assert await model.distill(ARTICLE) == GOOD

    # One text that is too long does not shorten the answers about the others.
    assert limits(server) == [ANSWER_TOKENS, 2_048, None, ANSWER_TOKENS]


async def test_an_unknown_refusal_is_about_the_text_once_the_endpoint_has_answered(
    server: ModelServer, model: ModelDistiller
) -> None:
    server.script(serve.good, serve.unrecognised)
    await model.distill(ARTICLE)

    assert await model.distill(ARTICLE) == dead_end(Reason.MODEL_REFUSED, "HTTP 400")


async def test_an_endpoint_that_refuses_everything_is_logged_once(
    server: ModelServer, model: ModelDistiller
) -> None:
    server.script(serve.unrecognised, serve.unrecognised)

    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(ModelUnavailableError):
                await model.distill(ARTICLE)

    errors = [log["reason"] for log in logs if log["log_level"] == "error"]
    assert errors == [Reason.MODEL_REQUEST_REFUSED]


async def test_a_wrong_key_is_logged_once_and_again_after_it_worked(
    server: ModelServer, model: ModelDistiller
) -> None:
    server.script(
        serve.unauthorized, serve.unauthorized, serve.unknown_model, serve.good, serve.unknown_model
    )

    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            try:
                await model.distill(ARTICLE)
            except ModelUnavailableError:
                continue

    errors = [log["reason"] for log in logs if log["log_level"] == "error"]
    assert errors == [Reason.MODEL_UNAUTHORIZED, Reason.MODEL_UNKNOWN, Reason.MODEL_UNKNOWN]


async def test_neither_key_nor_prompt_reaches_an_error_or_a_log(
    server: ModelServer, model: ModelDistiller
) -> None:
    echo = f"bad key {KEY.get_secret_value()} for {TEXT}"
    server.script(*(serve.error(status, echo) for status in (401, 429, 500)))

    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(ModelUnavailableError) as raised:
                await model.distill(ARTICLE)
            # Temporal keeps an error's causes in history.
            assert raised.value.__cause__ is None
            assert raised.value.__context__ is None
            assert "sk-very-secret" not in str(raised.value)

    assert "sk-very-secret" not in str(logs)
    assert "ferry" not in str(logs)
