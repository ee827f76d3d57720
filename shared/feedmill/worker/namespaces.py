"""Whether Temporal has the namespace that we work in."""

import asyncio
from collections.abc import Awaitable

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

_RETRY_SECONDS = 2.0


async def has_namespace(client: Client) -> bool:
    """Whether the client's namespace is there."""
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def with_namespace(connecting: Awaitable[Client]) -> Client:
    """Return the client once its namespace is there as well.

    The first pods of a release start while its namespace is still being made, and a worker would end
    with an error.
    """
    client = await connecting
    while await _lacks_namespace(client):
        log.warning("temporal has no such namespace", namespace=client.namespace)
        await asyncio.sleep(_RETRY_SECONDS)
    return client


async def _lacks_namespace(client: Client) -> bool:
    try:
        return not await has_namespace(client)
    except RPCError:
        # Whoever may not ask, or is not answered, learns from the work itself what is wrong.
        return False
