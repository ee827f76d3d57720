import base64
import uuid

import pytest
from pydantic import SecretStr
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from feedmill.config import EncryptionSettings, StoreSettings, load
from feedmill.errors import PayloadUnreadableError, SettingsError
from feedmill.worker.connection import data_converter
from feedmill.worker.encryption import EncryptingCodec

OLD, NEW = b"1" * 32, b"2" * 32
SECRET = "what nobody else may read"


@workflow.defn(name="Secretive")
class Secretive:
    @workflow.run
    async def run(self, text: str) -> str:
        if text == "fail":
            raise ApplicationError(SECRET, non_retryable=True)
        return text.upper()


def payload(text: str = SECRET) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


@pytest.mark.parametrize("text", ["", SECRET, SECRET * 500], ids=["nothing", "short", "long"])
async def test_what_is_encrypted_is_decrypted(text: str) -> None:
    codec = EncryptingCodec({"new": NEW})

    (sealed,) = await codec.encode([payload(text)])

    assert await codec.decode([sealed]) == [payload(text)]
    assert SECRET.encode() not in sealed.SerializeToString()
    assert sealed.metadata["encryption-key-id"] == b"new"


async def test_keys_rotate() -> None:
    before, after = EncryptingCodec({"old": OLD}), EncryptingCodec({"new": NEW, "old": OLD})
    (sealed,) = await before.encode([payload()])
    (sealed_anew,) = await after.encode([payload()])

    assert await after.decode([sealed]) == [payload()]
    assert sealed_anew.metadata["encryption-key-id"] == b"new"
    with pytest.raises(PayloadUnreadableError, match="no key 'new'"):
        await before.decode([sealed_anew])


@pytest.mark.parametrize("what", ["data", "key", "form"])
async def test_what_was_tampered_with_is_refused(what: str) -> None:
    codec = EncryptingCodec({"new": NEW, "old": OLD})
    (sealed,) = await codec.encode([payload()])
    if what == "data":
        sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    elif what == "key":
        sealed.metadata["encryption-key-id"] = b"old"
    else:
        sealed.metadata["form"] = b"zlib"

    with pytest.raises(PayloadUnreadableError, match="not what was encrypted"):
        await codec.decode([sealed])


async def test_the_same_is_never_encrypted_alike() -> None:
    codec = EncryptingCodec({"new": NEW})

    assert await codec.encode([payload()]) != await codec.encode([payload()])


async def test_what_came_before_encryption_is_read() -> None:
    assert await EncryptingCodec({"new": NEW}).decode([payload()]) == [payload()]


async def test_temporal_sees_neither_what_it_carries_nor_what_went_wrong(temporal: Client) -> None:
    config = temporal.config() | {"data_converter": data_converter({"new": NEW})}
    client, queue = Client(**config), str(uuid.uuid4())
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Secretive],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handles = [
            await client.start_workflow(Secretive.run, text, id=str(uuid.uuid4()), task_queue=queue)
            for text in (SECRET, "fail")
        ]
        result = await handles[0].result()
        with pytest.raises(WorkflowFailureError) as failure:
            await handles[1].result()

    assert result == SECRET.upper()
    assert str(failure.value.cause) == SECRET
    for handle in handles:
        history = (await temporal.get_workflow_handle(handle.id).fetch_history()).to_json()
        for text in (SECRET, SECRET.upper()):
            assert text not in history
            assert base64.b64encode(text.encode()).decode() not in history


def test_keys_are_read_in_order() -> None:
    text = ", ".join(f"{name}={base64.b64encode(key).decode()}" for name, key in KEYS.items())

    settings = EncryptionSettings(payload_keys=SecretStr(text))

    assert list(settings.keys().items()) == list(KEYS.items())
    assert EncryptionSettings().keys() == {}
    assert text not in repr(settings)


KEYS = {"new": NEW, "old": OLD}


@pytest.mark.parametrize("text", ["new", "new=short", "=MTEx", "new=MTEx", "new=%%%"])
def test_a_key_that_is_none_is_refused_without_being_told(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("FEEDMILL_PAYLOAD_KEYS", text)

    with pytest.raises(SettingsError, match=r"FEEDMILL_PAYLOAD_KEYS: key .* is not") as refused:
        load(EncryptionSettings)

    assert "MTEx" not in str(refused.value)


def test_other_settings_know_nothing_of_keys() -> None:
    assert "payload_keys" not in StoreSettings.model_fields
