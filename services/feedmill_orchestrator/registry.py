"""Every workflow of the fleet. The worker serves these, the tests load and replay these."""

from feedmill_orchestrator.workflows.all_feeds_ingestion import AllFeedsIngestionWorkflow
from feedmill_orchestrator.workflows.content_distillation import ContentDistillationWorkflow
from feedmill_orchestrator.workflows.domain_fetch import DomainFetchWorkflow
from feedmill_orchestrator.workflows.import_subscriptions import ImportSubscriptionsWorkflow
from feedmill_orchestrator.workflows.poll_shard import PollShardWorkflow
from feedmill_orchestrator.workflows.prune_entries import PruneEntriesWorkflow
from feedmill_orchestrator.workflows.reconcile import ReconcileWorkflow
from feedmill_orchestrator.workflows.redrive import RedriveWorkflow
from feedmill_orchestrator.workflows.reextract import ReextractWorkflow
from feedmill_orchestrator.workflows.schedule_fetch import ScheduleFetchWorkflow
from feedmill_orchestrator.workflows.single_feed_ingestion import SingleFeedIngestionWorkflow
from feedmill_orchestrator.workflows.subscribe_feed import SubscribeFeedWorkflow
from feedmill_orchestrator.workflows.supervise import SuperviseWorkflow

# These go on for as long as the fleet does, so a newer release takes them over while they run; the
# others end as they began. Whoever changes their steps needs a patch (`workflows/patches.py`).
LONG_LIVED = frozenset({"DomainFetch", "PollShard"})

WORKFLOWS: tuple[type, ...] = (
    AllFeedsIngestionWorkflow,
    ContentDistillationWorkflow,
    DomainFetchWorkflow,
    ImportSubscriptionsWorkflow,
    PollShardWorkflow,
    PruneEntriesWorkflow,
    ReconcileWorkflow,
    RedriveWorkflow,
    ReextractWorkflow,
    ScheduleFetchWorkflow,
    SingleFeedIngestionWorkflow,
    SubscribeFeedWorkflow,
    SuperviseWorkflow,
)
