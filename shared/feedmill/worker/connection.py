"""The connection to Temporal: the same variables and profiles that Temporal's own tools read."""

import asyncio
import dataclasses
from collections.abc import Mapping
from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError

from feedmill.errors import SettingsError, TemporalUnavailableError
from feedmill.telemetry import spans
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

DEFAULT_ADDRESS = "127.0.0.1:7233"

_HEALTH_SECONDS = timedelta(seconds=2)
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0


def connection_options(environ: Mapping[str, str] | None = None) -> ClientConnectConfig:
    """Read address, namespace, TLS and API key from `TEMPORAL_*` and the Temporal profile.

    Raises
    ------
    SettingsError
        The profile or one of the variables cannot be read.
    """
    try:
        options = ClientConfig.load_client_connect_config(override_env_vars=environ)
    except (RuntimeError, ValueError) as error:
        raise SettingsError(f"TEMPORAL_*: {error}") from error
    options.setdefault("target_host", DEFAULT_ADDRESS)
    return options


def data_converter(keys: Mapping[str, bytes] | None = None) -> DataConverter:
    """Return how what crosses Temporal is written: models as JSON, encrypted if there are keys.

    Failures are encrypted as well: their messages quote what sites and people have said.
    """
    if not keys:
        return pydantic_data_converter
    from feedmill.worker.encryption import EncryptingCodec  # noqa: PLC0415 - only who encrypts has to load it

    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=EncryptingCodec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def connect(
    runtime: Runtime | None = None, keys: Mapping[str, bytes] | None = None
) -> Client:
    """Connect to Temporal, waiting for as long as it is away.

    Cancel to stop waiting.
    """
    options = connection_options()
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            return await Client.connect(
                **options,
                data_converter=data_converter(keys),
                plugins=spans.plugins(),
                runtime=runtime,
            )
        except RuntimeError as error:
            log.warning("temporal unreachable", address=options["target_host"], error=str(error))
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


async def connect_once(
    address: str | None = None, keys: Mapping[str, bytes] | None = None
) -> Client:
    """Connect to Temporal as the environment says, or at an address of our own choice.

    Raises
    ------
    RuntimeError
        It cannot be reached.
    """
    options = connection_options()
    if address is not None:
        options["target_host"] = address
    return await Client.connect(
        **options, data_converter=data_converter(keys), plugins=spans.plugins()
    )


async def check_temporal(client: Client) -> None:
    """Return when Temporal answers.

    Raises
    ------
    TemporalUnavailableError
        It does not.
    """
    try:
        healthy = await client.service_client.check_health(timeout=_HEALTH_SECONDS)
    except (RPCError, RuntimeError) as error:
        raise TemporalUnavailableError(f"Temporal did not answer: {error}") from error
    if not healthy:
        raise TemporalUnavailableError("Temporal says it is not healthy")
