"""Every workflow of the fleet. The worker serves these, the tests load and replay these."""

from feedmill_orchestrator.workflows.single_feed_ingestion import SingleFeedIngestionWorkflow

WORKFLOWS: tuple[type, ...] = (SingleFeedIngestionWorkflow,)
