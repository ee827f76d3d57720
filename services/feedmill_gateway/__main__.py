import asyncio

from pydantic import SecretStr

from feedmill.config import GatewaySettings, load
from feedmill.errors import StoreUnavailableError
from feedmill.store import Store, open_store
from feedmill.store.users import OWNER
from feedmill.telemetry.logs import get_logger
from feedmill.worker import main_of, process
from feedmill_gateway.app import create_app
from feedmill_gateway.codec import CodecEndpoint
from feedmill_gateway.listener import open_bell
from feedmill_gateway.lists.importing import ListReader
from feedmill_gateway.pages import Pages
from feedmill_gateway.reextractions import Reextractions
from feedmill_gateway.runs import Runs
from feedmill_gateway.server import build_server, serve

log = get_logger(__name__)

_RETRY_SECONDS = 1.0


async def main() -> None:
    settings = load(GatewaySettings)
    async with open_store(settings) as store, process(settings, "gateway", store) as running:
        if running is None or not await _let_owner_in(store, settings.token, running.stopping):
            return
        async with open_bell(settings.database_url.get_secret_value()) as bell:
            app = create_app(
                store=store,
                runs=Runs(running.client, settings.poll_shards),
                reextractions=Reextractions(running.client),
                bell=bell,
                networks=settings.allowed_networks,
                list_reader=ListReader(),
                pages=Pages(),
                codec=_codec(settings, running.client.namespace),
            )
            server = build_server(
                app, settings.gateway_host, settings.gateway_port, settings.drain_seconds
            )
            await serve(server, bell, running.stopping)


def _codec(settings: GatewaySettings, namespace: str) -> CodecEndpoint | None:
    if settings.codec_token is None:
        return None
    return CodecEndpoint(
        settings.keys(),
        settings.codec_token,
        namespace=namespace,
        origins=settings.codec_origins,
    )


async def _let_owner_in(store: Store, token: SecretStr, stopping: asyncio.Event) -> bool:
    """Make the token known, as soon as Postgres and its schema are there; False when told to stop."""
    while not stopping.is_set():
        try:
            await store.check()
            async with store.transaction() as tx:
                await tx.users.let_in(OWNER, token.get_secret_value())
        except StoreUnavailableError as error:
            log.warning("postgres not ready", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return True
    return False


if __name__ == "__main__":
    main_of(main)
