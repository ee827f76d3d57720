"""A language model's endpoint on loopback: speaks chat completions, answers as it is told, remembers what it was asked."""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict

PROMPT_TOKENS = 100
COMPLETION_TOKENS = 20

_NUMBERED_LINE = re.compile(r"^\[(\d+)(?:-\d+)?\] (.+)$", re.MULTILINE)
_SHOWN_CHARACTERS = 200

Format = Literal["json_schema", "json_object", "text"]


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class ModelRequest(BaseModel):
    """One call, as it came over the wire."""

    model_config = ConfigDict(frozen=True)

    model: str
    messages: tuple[Message, ...]
    authorization: str
    format: Format = "text"
    token_limits: dict[str, int] = {}
    temperature: float | None = None
    stream: bool = False
    header_names: frozenset[str] = frozenset()

    @property
    def article(self) -> str:
        """The first thing the user said."""
        return next(message.content for message in self.messages if message.role == "user")

    @property
    def last(self) -> str:
        """The last thing the user said."""
        return self.messages[-1].content

    @property
    def lines(self) -> dict[int, str]:
        """The numbered lines of the article."""
        return {int(number): line for number, line in _NUMBERED_LINE.findall(self.article)}


Answer = Callable[[ModelRequest], Awaitable[web.StreamResponse]]
"""What one request gets. The server prepares the response."""


class ModelServer:
    """What a test says to the server, and what it learns from it.

    Without a script every request gets the `usual` answer, a good one. `formats` are the response formats that the
    server knows; `limit_name` is what it wants the token limit to be called.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[ModelRequest] = []
        self.formats: Sequence[Format] = ("json_schema", "json_object")
        self.limit_name = "max_tokens"
        self.key: str | None = None
        self.usual: Answer = good
        self._scripts: list[tuple[str, deque[Answer]]] = []

    def script(self, *answers: Answer, about: str = "") -> None:
        """Give these answers, in turn, to the next requests that mention `about`."""
        self._scripts.append((about, deque(answers)))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = _read(await request.json(), request.headers)
        self.requests.append(asked)
        response = await self._answer_to(asked)(asked)
        return _streamed(response) if asked.stream else response

    def _answer_to(self, asked: ModelRequest) -> Answer:
        if self.key is not None and asked.authorization != f"Bearer {self.key}":
            return unauthorized
        if asked.format not in {*self.formats, "text"}:
            return format_unsupported
        if asked.token_limits and self.limit_name not in asked.token_limits:
            return limit_unsupported
        for about, answers in self._scripts:
            if answers and about in asked.article:
                return answers.popleft()
        return self.usual


@asynccontextmanager
async def open_model_server() -> AsyncIterator[ModelServer]:
    """Serve on a free loopback port while the block lasts."""
    server = ModelServer()
    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", server.answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        server.url = f"http://127.0.0.1:{port}/v1"
        yield server
    finally:
        await runner.cleanup()


def good_answer(request: ModelRequest) -> dict[str, Any]:
    """The answer of a model that repeats the first three lines, each as a key point of itself."""
    first = list(request.lines.items())[:3]
    return {
        "summary": first[0][1][:_SHOWN_CHARACTERS],
        "key_points": [
            {"text": line[:_SHOWN_CHARACTERS], "first_line": number, "last_line": number}
            for number, line in first
        ],
        "topics": ["testing"],
        "relevance": 0.7,
        "relevance_reason": "It is about the bridge.",
        "article_first_line": 1,
        "article_last_line": max(request.lines),
        "language": "en",
    }


async def good(request: ModelRequest) -> web.StreamResponse:
    return _completion(json.dumps(good_answer(request)))


def changed(**fields: object) -> Answer:
    """Answer like `good`, with some fields replaced."""

    async def answer(request: ModelRequest) -> web.StreamResponse:
        return _completion(json.dumps({**good_answer(request), **fields}))

    return answer


def saying(content: str | None, *, finish_reason: str = "stop") -> Answer:
    """Answer with exactly this content."""

    async def answer(_: ModelRequest) -> web.StreamResponse:
        return _completion(content, finish_reason=finish_reason)

    return answer


def wrapped(before: str, after: str) -> Answer:
    """Answer like `good`, with words around the JSON."""

    async def answer(request: ModelRequest) -> web.StreamResponse:
        return _completion(before + json.dumps(good_answer(request)) + after)

    return answer


bad_json = saying('{"summary": "It begins well, ')
wrong_schema = changed(relevance="very")
cut_off = saying('{"summary": "It goes on and on', finish_reason="length")
filtered = saying(None, finish_reason="content_filter")


async def refusal(_: ModelRequest) -> web.StreamResponse:
    return _completion(None, refusal="I cannot help with that.")


def error(
    status: int, message: str = "", *, code: str = "", headers: dict[str, str] | None = None
) -> Answer:
    """Answer with an HTTP error in the protocol's form."""

    async def answer(_: ModelRequest) -> web.StreamResponse:
        body = {"error": {"message": message, "type": "error", "param": None, "code": code}}
        return web.json_response(body, status=status, headers=headers)

    return answer


unauthorized = error(401, "Incorrect API key provided: wrong-key", code="invalid_api_key")
unknown_model = error(404, "The model `x` does not exist", code="model_not_found")
format_unsupported = error(400, "'response_format' of this type is not supported with this model")
limit_unsupported = error(
    400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
)
context_exceeded = error(
    400, "This model's maximum context length is 8192 tokens", code="context_length_exceeded"
)
completion_limit_too_large = error(
    400,
    "max_tokens is too large: 8192. This model supports at most 4096 completion tokens, "
    "whereas you provided 8192.",
    code="invalid_value",
)
unrecognised = error(400, "Bad Request")
broken = error(500, "boom")


def context_exceeded_by_completion(limit: int, *, prompt_tokens: int = 6_500) -> Answer:
    """Refuse as a model that reads 8,192 tokens does when so many are asked for as an answer."""
    return error(
        400,
        "This model's maximum context length is 8192 tokens. However, you requested "
        f"{prompt_tokens + limit} tokens ({prompt_tokens} in the messages, {limit} in the "
        "completion). Please reduce the length of the messages or completion.",
        code="context_length_exceeded",
    )


def rate_limited(retry_after: int | None = None) -> Answer:
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return error(429, "Rate limit reached", code="rate_limit_exceeded", headers=headers)


async def no_completion(_: ModelRequest) -> web.StreamResponse:
    return web.Response(text="<h1>Welcome</h1>", content_type="text/html")


class _DroppedResponse(web.Response):
    async def prepare(self, request: web.BaseRequest) -> None:
        assert request.transport is not None
        request.transport.abort()


async def dropped(_: ModelRequest) -> web.StreamResponse:
    """Lose the connection before a word is said."""
    return _DroppedResponse()


def slow(seconds: float) -> Answer:
    """Answer like `good`, after a while."""

    async def answer(request: ModelRequest) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await good(request)

    return answer


class Flight:
    """Answers like `good`, after a moment; remembers how many calls there were at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def answer(self, request: ModelRequest) -> web.StreamResponse:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.05)
        self.now -= 1
        return await good(request)


class _DrippingResponse(web.StreamResponse):
    def __init__(self, seconds: float) -> None:
        super().__init__(headers={"Content-Type": "application/json"})
        self._seconds = seconds

    async def prepare(self, request: web.BaseRequest) -> Any:
        writer = await super().prepare(request)
        for _ in range(int(self._seconds / 0.05)):
            await self.write(b" ")
            await asyncio.sleep(0.05)
        return writer


def dripping(seconds: float) -> Answer:
    """Send a blank now and then, for so long, and never an answer."""

    async def answer(_: ModelRequest) -> web.StreamResponse:
        return _DrippingResponse(seconds)

    return answer


def _completion(
    content: str | None, *, finish_reason: str = "stop", refusal: str | None = None
) -> web.Response:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return web.json_response(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": "served",
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": {
                "prompt_tokens": PROMPT_TOKENS,
                "completion_tokens": COMPLETION_TOKENS,
                "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
            },
        }
    )


def _streamed(response: web.StreamResponse) -> web.StreamResponse:
    """The same completion as a stream of chunks; anything else as it is."""
    if not isinstance(response, web.Response) or response.status != 200 or not response.text:
        return response
    if response.content_type != "application/json":
        return response
    whole = json.loads(response.text)
    choice = whole["choices"][0]
    said = choice["message"]
    pieces = re.findall(r".{1,20}", said["content"] or "", re.DOTALL)
    deltas = [{"role": "assistant"}, *({"content": piece} for piece in pieces)]
    deltas += [{"refusal": said["refusal"]}] if said["refusal"] else []
    chunks = [_chunk(delta) for delta in deltas]
    chunks += [
        _chunk({}, choice["finish_reason"]),
        {**_chunk({}), "choices": [], "usage": whole["usage"]},
    ]
    return _events(*(json.dumps(chunk) for chunk in chunks), "[DONE]", headers=response.headers)


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "served",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


def _events(*data: str, headers: Mapping[str, str] | None = None) -> web.Response:
    kept = {k: v for k, v in (headers or {}).items() if k.lower().startswith("x-")}
    return web.Response(
        text="".join(f"data: {each}\n\n" for each in data),
        content_type="text/event-stream",
        headers=kept,
    )


async def broken_off(_: ModelRequest) -> web.StreamResponse:
    """End a stream in the middle of the answer, as a server that is restarted does."""
    return _events(json.dumps(_chunk({"content": '{"summary": "It be'})))


async def failing_stream(_: ModelRequest) -> web.StreamResponse:
    """Find out in the middle of the answer that there is none."""
    error = {"error": {"message": "sk-very-secret is overloaded", "code": "server_error"}}
    return _events(json.dumps(_chunk({"content": "{"})), json.dumps(error))


async def garbled_stream(_: ModelRequest) -> web.StreamResponse:
    return _events("{this is no JSON")


def limited(**headers: str) -> Answer:
    """Answer like `good`, and say how much is left: `remaining_requests="0"`."""

    async def answer(request: ModelRequest) -> web.StreamResponse:
        response = await good(request)
        for name, value in headers.items():
            response.headers[f"x-ratelimit-{name.replace('_', '-')}"] = value
        return response

    return answer


def _read(body: dict[str, Any], headers: Mapping[str, str]) -> ModelRequest:
    return ModelRequest(
        model=body["model"],
        messages=body["messages"],
        authorization=headers.get("Authorization", ""),
        header_names=frozenset(name.lower() for name in headers),
        format=body.get("response_format", {}).get("type", "text"),
        temperature=body.get("temperature"),
        stream=body.get("stream", False),
        token_limits={name: body[name] for name in body if name.startswith("max_")},
    )
