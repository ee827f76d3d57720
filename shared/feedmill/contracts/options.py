"""How long each activity may take, and how it is retried. One block per activity.

Retries are unlimited in number and bounded in time: a graceful shutdown consumes an attempt, so
counting attempts would fail work whenever pods roll. What must never be retried says so by its
class (`feedmill.errors.PermanentError`).
"""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import Priority, RetryPolicy

from feedmill.contracts.queues import TaskQueue


class ActivityOptions(TypedDict):
    """The arguments of `workflow.execute_activity_method` that we set."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


# Short at first, because the usual fault is a worker that restarts; long enough later to sit out
# a database that is being moved.
_PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)

# Long enough to sit out a database that is moved or a model that is down for lunch. What is left
# then stands in the store at its stage, and the next run takes it up.
_PATIENCE = timedelta(hours=1)

# A handful of statements; a lock that others hold is waited for.
_A_STATEMENT = timedelta(minutes=2)

# Several missed beats of HEARTBEAT_EVERY: a worker killed with -9 is noticed after this.
_HEARTBEAT_TIMEOUT = timedelta(seconds=15)

HEARTBEAT_EVERY = timedelta(seconds=3)

POLL_FEEDS: ActivityOptions = {
    "task_queue": TaskQueue.INGESTION,
    # One slow feed is cut off after a minute by the client; a slice runs several at a time.
    "start_to_close_timeout": timedelta(minutes=10),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

POLL_DUE_FEEDS: ActivityOptions = {
    "task_queue": TaskQueue.INGESTION,
    # A round begins nothing after its time (`PollDueFeeds.seconds`), and ends what it began.
    "start_to_close_timeout": timedelta(minutes=10),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

TEND_HUBS: ActivityOptions = {
    "task_queue": TaskQueue.INGESTION,
    # Some of each hub's, one after the other, each for a minute at most.
    "start_to_close_timeout": timedelta(minutes=15),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

TAKE_PUSHES: ActivityOptions = {
    "task_queue": TaskQueue.INGESTION,
    # Nothing is asked for: what takes long is a parser's time limit, a few at a time.
    "start_to_close_timeout": timedelta(minutes=10),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

FETCH_ENTRIES: ActivityOptions = {
    "task_queue": TaskQueue.FETCH,
    "start_to_close_timeout": timedelta(minutes=10),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

BROWSE_ENTRIES: ActivityOptions = {
    "task_queue": TaskQueue.FETCH_BROWSER,
    # One page at a time, each for half a minute at most.
    "start_to_close_timeout": timedelta(minutes=30),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

REEXTRACT_PAGES: ActivityOptions = {
    "task_queue": TaskQueue.FETCH,
    # A slice is seconds of work; what takes long is a page that runs into its own limit.
    "start_to_close_timeout": timedelta(minutes=20),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

DISTILL_ENTRIES: ActivityOptions = {
    "task_queue": TaskQueue.DISTILLATION,
    # A local model may take a minute an entry, and a slice is tens of them.
    "start_to_close_timeout": timedelta(minutes=30),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

SELECT_FEEDS: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": _A_STATEMENT,
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

JOIN_DOMAINS: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": _A_STATEMENT,
    # Who cannot join goes on waiting in its own run, so this is no place for much patience.
    "schedule_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

KEEP_SHARDS: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    # One start per shard, and there may be thousands.
    "start_to_close_timeout": timedelta(minutes=10),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

PICK_UP_STALLED: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": timedelta(minutes=5),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

PRUNE_SLICE: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": timedelta(minutes=5),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

COUNT_DEAD_ENDS: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    # All entries are looked at, and there may be millions.
    "start_to_close_timeout": timedelta(minutes=5),
    # Somebody waits for it.
    "schedule_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

REDRIVE_SLICE: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    # As above.
    "start_to_close_timeout": timedelta(minutes=5),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

VALIDATE_FEED: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": _A_STATEMENT,
    # Somebody waits for it.
    "schedule_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

ADD_FEED: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": _A_STATEMENT,
    # Somebody waits for it.
    "schedule_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

FOLLOW_FEED: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": _A_STATEMENT,
    # Somebody waits for it.
    "schedule_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

FOLLOW_LISTED: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    # A second for some hundred feeds; a list that somebody else imports is waited for.
    "start_to_close_timeout": timedelta(minutes=5),
    "schedule_to_close_timeout": _PATIENCE,
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

UNDO_FOLLOW: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": _A_STATEMENT,
    # What was begun must not stay half done: longer than any outage that is survived at all.
    "schedule_to_close_timeout": timedelta(days=1),
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

UNDO_ADD_FEED: ActivityOptions = {
    "task_queue": TaskQueue.ORCHESTRATION,
    "start_to_close_timeout": _A_STATEMENT,
    # What was begun must not stay half done: longer than any outage that is survived at all.
    "schedule_to_close_timeout": timedelta(days=1),
    "heartbeat_timeout": _HEARTBEAT_TIMEOUT,
    "retry_policy": _PATIENT,
}

# Somebody is looking at the screen: ahead of every background run.
INTERACTIVE = Priority(priority_key=1)


def priority_of(*, interactive: bool, tenant: str = "") -> Priority:
    """Return where work stands in its queue: whoever waits comes first, tenants take turns."""
    # Temporal refuses keys of more than 64 bytes.
    key = tenant.encode()[:64].decode(errors="ignore") or None
    return Priority(priority_key=1 if interactive else 3, fairness_key=key)


# Temporal refuses longer keys.
_FAIRNESS_KEY_BYTES = 64


def shared_with(key: str) -> Priority:
    """Return the place in a queue of work that shares it with all other keys, as equals.

    How urgent it is stays as the workflow has it. A server without fairness heeds the rest.
    """
    return Priority(fairness_key=key.encode()[:_FAIRNESS_KEY_BYTES].decode(errors="ignore"))
