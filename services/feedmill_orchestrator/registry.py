"""Every workflow of the fleet. The worker serves these, the tests load and replay these."""

from feedmill_orchestrator.workflows.poll_shard import PollShardWorkflow
from feedmill_orchestrator.workflows.reextract import ReextractWorkflow
from feedmill_orchestrator.workflows.schedule_fetch import ScheduleFetchWorkflow
from feedmill_orchestrator.workflows.single_feed_ingestion import SingleFeedIngestionWorkflow

WORKFLOWS: tuple[type, ...] = (
    PollShardWorkflow,
    ReextractWorkflow,
    ScheduleFetchWorkflow,
    SingleFeedIngestionWorkflow,
)
