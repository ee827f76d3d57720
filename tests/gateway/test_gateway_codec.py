"""Operators read encrypted payloads, and nobody else does."""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from google.protobuf import json_format
from pydantic import SecretStr
from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from feedmill.config import GatewaySettings, load
from feedmill.errors import SettingsError
from feedmill.store import Store
from feedmill.worker.connection import data_converter
from feedmill.worker.encryption import EncryptingCodec
from feedmill_gateway.codec import CodecEndpoint
from support.live_gateway import TOKEN, RunningGateway, client, running_gateway
from support.programs import binary

KEYS = {"new": b"2" * 32, "old": b"1" * 32}
OPERATOR = "the-token-of-an-operator"
PAGE = "https://temporal.example"
SECRET = "what nobody else may read"
MAY = {"Authorization": f"Bearer {OPERATOR}", "X-Namespace": "default"}


@workflow.defn(name="Confidential")
class Confidential:
    @workflow.run
    async def run(self, text: str) -> str:
        return text.upper()


@pytest_asyncio.fixture
async def gateway(
    store: Store, temporal_server: Client, database_url: str
) -> AsyncIterator[RunningGateway]:
    codec = CodecEndpoint(KEYS, SecretStr(OPERATOR), namespace="default", origins=[PAGE])
    async with running_gateway(store, temporal_server, database_url, codec=codec) as running:
        yield running


@pytest_asyncio.fixture
async def operator(gateway: RunningGateway) -> AsyncIterator[ClientSession]:
    async with ClientSession(gateway.url) as session:
        yield session


def body(*payloads: Payload) -> str:
    return json_format.MessageToJson(Payloads(payloads=payloads))


def plain(text: str = SECRET) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(text).encode())


async def post(
    session: ClientSession, path: str, sent: str | bytes, **headers: str
) -> tuple[int, str, Any]:
    sent = sent if isinstance(sent, bytes) else sent.encode()
    async with session.post(path, data=BytesIO(sent), headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_what_it_encrypts_it_decrypts(operator: ClientSession) -> None:
    status, sealed, _ = await post(operator, "/codec/encode", body(plain()), **MAY)

    assert status == 200
    (payload,) = json_format.Parse(sealed, Payloads()).payloads
    assert payload.metadata["encryption-key-id"] == b"new"
    assert SECRET.encode() not in payload.data
    status, opened, headers = await post(operator, "/codec/decode", sealed, **MAY)
    assert (status, json_format.Parse(opened, Payloads())) == (200, Payloads(payloads=[plain()]))
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"


async def test_what_an_older_key_encrypted_is_read(operator: ClientSession) -> None:
    sealed = await EncryptingCodec({"old": KEYS["old"]}).encode([plain()])

    status, opened, _ = await post(operator, "/codec/decode", body(*sealed, plain("")), **MAY)

    assert status == 200
    assert json_format.Parse(opened, Payloads()) == Payloads(payloads=[plain(), plain("")])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(
            {**MAY, "Authorization": "Bearer of-somebody-else-altogether"}, 401, id="token"
        ),
        pytest.param({**MAY, "Authorization": f"Basic {OPERATOR}"}, 401, id="scheme"),
        pytest.param({**MAY, "Authorization": f"Bearer {TOKEN}"}, 401, id="a reader's token"),
        pytest.param({"X-Namespace": "default"}, 401, id="no token"),
        pytest.param({**MAY, "X-Namespace": "other"}, 403, id="namespace"),
        pytest.param({"Authorization": MAY["Authorization"]}, 403, id="no namespace"),
        pytest.param({**MAY, "Origin": "https://evil.example"}, 403, id="page"),
        pytest.param({**MAY, "Origin": "null"}, 403, id="page without origin"),
    ],
)
async def test_others_are_refused(
    operator: ClientSession, headers: dict[str, str], status: int
) -> None:
    (sealed,) = await EncryptingCodec(KEYS).encode([plain()])

    refused, said, answered = await post(operator, "/codec/decode", body(sealed), **headers)

    assert refused == status
    assert SECRET not in said
    assert OPERATOR not in said
    assert "Access-Control-Allow-Origin" not in answered


async def sealed_with_another_key() -> str:
    return body(*await EncryptingCodec({"lost": b"3" * 32}).encode([plain()]))


async def test_what_cannot_be_read_is_named(operator: ClientSession) -> None:
    (sealed,) = await EncryptingCodec(KEYS).encode([plain()])
    cut, forged = Payload(), Payload()
    cut.CopyFrom(sealed)
    cut.data = sealed.data[:5]
    forged.CopyFrom(sealed)
    forged.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    nameless = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x" * 40)
    for sent, status, words in (
        (await sealed_with_another_key(), 422, "no key 'lost' among FEEDMILL_PAYLOAD_KEYS"),
        (body(cut), 422, "not what was encrypted"),
        (body(forged), 422, "not what was encrypted"),
        (body(nameless), 422, "no key ''"),
        ("{", 400, "no JSON of payloads"),
        (b"\xff", 400, "no JSON of payloads"),
        ("[" * 100_000, 400, "no JSON of payloads"),
        ('{"payloads": 7}', 400, "no JSON of payloads"),
        ("x" * (7 * 1024 * 1024), 413, ""),
    ):
        refused, said, _ = await post(operator, "/codec/decode", sent, **MAY)
        assert (refused, words in said) == (status, True), said


async def test_browsers_may_ask_from_the_pages_that_are_named(operator: ClientSession) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-namespace",
    }
    async with operator.options("/codec/decode", headers=asked) as preflight:
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
        assert "X-Namespace" in preflight.headers["Access-Control-Allow-Headers"]
        assert preflight.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in preflight.headers
    status, _, headers = await post(operator, "/codec/encode", body(plain()), Origin=PAGE, **MAY)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    # A page hears why it is refused, too.
    status, _, headers = await post(operator, "/codec/encode", body(plain()), Origin=PAGE)
    assert (status, headers["Access-Control-Allow-Origin"]) == (401, PAGE)
    async with operator.options("/codec/decode", headers=asked | {"Origin": "https://x"}) as other:
        assert other.status == 403
        assert "Access-Control-Allow-Origin" not in other.headers


async def test_without_a_token_there_is_no_such_thing(
    store: Store, temporal_server: Client, database_url: str
) -> None:
    async with (
        running_gateway(store, temporal_server, database_url) as running,
        client(running.url) as session,
        session.post("/codec/decode", data=body(plain()), headers=MAY) as answer,
    ):
        assert answer.status == 404


async def test_temporals_command_line_reads_a_history(
    gateway: RunningGateway, temporal: Client
) -> None:
    config = temporal.config() | {"data_converter": data_converter(KEYS)}
    secretive, queue = Client(**config), str(uuid.uuid4())
    async with Worker(
        secretive,
        task_queue=queue,
        workflows=[Confidential],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await secretive.start_workflow(
            Confidential.run, SECRET, id=f"confidential/{queue}", task_queue=queue
        )
        await handle.result()
    address = temporal.service_client.config.target_host

    async def show(*more: str) -> tuple[int, str]:
        arguments = ["workflow", "show", "-w", handle.id, "--output", "json", *more]
        process = await asyncio.create_subprocess_exec(
            binary("temporal"),
            *(*arguments, "--address", address),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, output.decode()

    endpoint = ("--codec-endpoint", f"{gateway.url}/codec")
    code, opened = await show(*endpoint, "--codec-auth", f"Bearer {OPERATOR}")
    _, sealed = await show()
    refused_code, refused = await show(
        *endpoint, "--codec-auth", "Bearer other", "--command-timeout", "3s"
    )

    assert code == 0, opened
    for text in (SECRET, SECRET.upper()):
        carried = base64.b64encode(json.dumps(text).encode()).decode()
        assert carried in opened
        assert carried not in sealed + refused
    assert refused_code != 0


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({"CODEC_TOKEN": OPERATOR}, "FEEDMILL_PAYLOAD_KEYS is missing", id="no keys"),
        pytest.param({"CODEC_TOKEN": "short", "PAYLOAD_KEYS": "k"}, "CODEC_TOKEN", id="short"),
        pytest.param({"CODEC_TOKEN": TOKEN, "PAYLOAD_KEYS": "k"}, "another than", id="a reader's"),
        pytest.param({"CODEC_ORIGINS": "*"}, "no origin", id="every page"),
        pytest.param({"CODEC_ORIGINS": "https://a.example/x"}, "no origin", id="a path"),
    ],
)
def test_what_would_be_unsafe_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], words: str
) -> None:
    key = f"new={base64.b64encode(KEYS['new']).decode()}"
    settings = {"DATABASE_URL": "postgresql://u:p@h/d", "TOKEN": TOKEN, **environ}
    for name, value in settings.items():
        monkeypatch.setenv(f"FEEDMILL_{name}", key if value == "k" else value)

    with pytest.raises(SettingsError, match=words) as refused:
        load(GatewaySettings)

    assert OPERATOR not in str(refused.value)
