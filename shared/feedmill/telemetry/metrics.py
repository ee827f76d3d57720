"""Every metric we export ourselves. The SDK core's come beside them (`telemetry.runtime`).

`feedmill_<what>_<unit>`; labels take few values, never a URL or an id.
"""

from prometheus_client import Counter, Gauge, Histogram

# From a conditional GET answered at once to a model that thinks for minutes.
WORK_SECONDS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
)  # fmt: skip

# From an entry that is pushed and short to one that waits a day for its feed's turn.
READABLE_SECONDS = (
    30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0, 93_600.0,
)  # fmt: skip

ACTIVITY_SECONDS = Histogram(
    "feedmill_activity_seconds",
    "Time of one activity attempt, by how it ended.",
    ["activity", "outcome"],
    buckets=WORK_SECONDS,
)

HTTP_REQUEST_SECONDS = Histogram(
    "feedmill_http_request_seconds",
    "Time of one request to a site, redirects included, by how it ended.",
    ["purpose", "outcome"],
    buckets=WORK_SECONDS,
)

SPACING_VIOLATIONS = Counter(
    "feedmill_spacing_violations_total",
    "Requests of this process that started too soon after another one to the same host.",
)

FEEDS_POLLED = Counter("feedmill_feeds_polled_total", "Polls, by how they ended.", ["outcome"])

HUB_REQUESTS = Counter(
    "feedmill_hub_requests_total",
    "Requests to hubs, by what was asked for and how they ended.",
    ["mode", "outcome"],
)

PUSHES = Counter("feedmill_pushes_total", "What hubs sent, by what became of it.", ["outcome"])

ENTRIES_ADDED = Counter("feedmill_entries_added_total", "Entries seen for the first time.")

ENTRIES_FETCHED = Counter(
    "feedmill_entries_fetched_total", "Articles asked for, by how it ended.", ["outcome"]
)

ENTRIES_DISTILLED = Counter(
    "feedmill_entries_distilled_total",
    "Articles distilled, by who did it and how it ended.",
    ["distiller", "outcome"],
)

MODEL_SECONDS = Histogram(
    "feedmill_model_seconds",
    "Time of one call to the language model, by how it ended.",
    ["outcome"],
    buckets=WORK_SECONDS,
)

MODEL_TOKENS = Counter("feedmill_model_tokens_total", "Tokens used, by direction.", ["direction"])

ENTRIES_PICKED_UP = Counter(
    "feedmill_entries_picked_up_total",
    "Stalled entries that a run was started for, by the stage they stood at.",
    ["stage"],
)

ENTRIES_STALLED = Gauge(
    "feedmill_entries_stalled",
    "Entries that stood still without a living run when they were last looked for.",
)

ENTRIES_PRUNED = Counter("feedmill_entries_pruned_total", "Old entries forgotten.")
MODEL_COST = Counter("feedmill_model_cost_total", "What calls cost, in the price table's currency.")

MODEL_UNPRICED_CALLS = Counter(
    "feedmill_model_unpriced_calls_total", "Calls whose price is not known."
)

DAILY_CEILING = Gauge(
    "feedmill_daily_ceiling",
    "The most that calls may cost in a day, in money or in tokens. Absent: there is no limit.",
    ["of"],
)

BUDGET_STEPS = Counter(
    "feedmill_budget_steps_total",
    "Articles for which the day's budget had no room, by what was done instead.",
    ["step"],
)

CLAIMS = Counter(
    "feedmill_claims_total",
    "What models said of articles, by whether the article bears it out, or why it does not.",
    ["kind", "outcome"],
)

STORIES_JOINED = Counter(
    "feedmill_stories_joined_total",
    "Entries by whether another one told the same story before.",
    ["outcome"],
)

# The next ones are about the whole fleet, and each orchestrator says the same: take the maximum.
FEEDS = Gauge("feedmill_feeds", "Feeds, by how they are doing.", ["health"])

FEEDS_OVERDUE_SECONDS = Gauge(
    "feedmill_feeds_overdue_seconds", "How late the poll is that should have been first."
)

ENTRIES_WAITING = Gauge(
    "feedmill_entries_waiting", "Entries at a stage which is no end.", ["stage"]
)

ENTRIES_WAITING_SECONDS = Gauge(
    "feedmill_entries_waiting_seconds", "Age of the entry that has waited longest.", ["stage"]
)

SPENT_TODAY = Gauge(
    "feedmill_spent_today",
    "What calls have cost since midnight (UTC), in money and in tokens.",
    ["of"],
)

ENTRY_READABLE_SECONDS = Histogram(
    "feedmill_entry_readable_seconds",
    "Time until an entry could be read, since its feed showed it (seen) or said (published).",
    ["since"],
    buckets=READABLE_SECONDS,
)

TASK_QUEUE_BACKLOG = Gauge(
    "feedmill_task_queue_backlog",
    "Tasks that wait for a worker, by Temporal's estimate.",
    ["task_queue", "task_queue_type"],
)

TASK_QUEUE_BACKLOG_SECONDS = Gauge(
    "feedmill_task_queue_backlog_seconds",
    "Age of the task that has waited longest.",
    ["task_queue", "task_queue_type"],
)

WORKER_SLOTS = Gauge(
    "feedmill_worker_slots",
    "Most tasks of one kind that this process takes at once.",
    ["task_queue"],
)

GATEWAY_REQUEST_SECONDS = Histogram(
    "feedmill_gateway_request_seconds",
    "Time of one request to the gateway, by route and status class.",
    ["route", "status"],
    buckets=WORK_SECONDS,
)

EVENT_LISTENERS = Gauge("feedmill_event_listeners", "Browsers that receive events now.")

EVENT_LOOP_LAG_SECONDS = Histogram(
    "feedmill_event_loop_lag_seconds",
    "How late the event loop woke up.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)

READY = Gauge("feedmill_ready", "1 while this process answers /readyz with 200.")
