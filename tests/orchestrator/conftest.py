"""Workflows that other tests left running would do this one's work as well."""

import pytest_asyncio
from temporalio.client import Client


@pytest_asyncio.fixture(autouse=True)
async def _nothing_runs(temporal: Client) -> None:
    async for left in temporal.list_workflows("ExecutionStatus = 'Running'"):
        await temporal.get_workflow_handle(left.id, run_id=left.run_id).terminate("left running")
