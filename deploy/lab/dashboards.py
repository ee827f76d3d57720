"""The dashboards, a panel a paragraph: `make dashboards` writes them into the chart.

A new metric goes into one of these tables, or into an alert; a test fails until it does. What is not
drawn with `rate` here is a recording rule (`rules/feedmill.rules.yaml`).
"""

import json
from pathlib import Path

from lab.grafana import Panel, Row, Series, dashboard

FOLDER = Path(__file__).parents[1] / "k8s/feedmill/dashboards"

_N = 'namespace=~"$namespace"'
_R = "[$__rate_interval]"
# What may never happen, and then is zero rather than nothing.
NEVER = " or on() vector(0)"

_DEAD_END = ',outcome="undistillable"'


def _by(labels: str, metric: str, more: str = "") -> str:
    """Return the rate of a counter by its labels."""
    return f"sum by ({labels}) (rate({metric}{{{_N}{more}}}{_R}))"


def _quantile(quantile: float, metric: str, labels: str = "", more: str = "") -> str:
    """Return a quantile of a histogram, by labels."""
    by = f"{labels}, le" if labels else "le"
    return (
        f"histogram_quantile({quantile}, sum by ({by}) (rate({metric}_bucket{{{_N}{more}}}{_R})))"
    )


def _stat(
    title: str,
    description: str,
    unit: str,
    expr: str,
    thresholds: tuple[float, float] | None = None,
) -> Panel:
    return Panel(title, description, unit, (Series(expr),), "stat", 6, thresholds=thresholds)


def _lines(
    title: str, description: str, unit: str, *series: tuple[str, str], stacked: bool = False
) -> Panel:
    return Panel(title, description, unit, tuple(Series(*each) for each in series), stacked=stacked)


FLEET = (
    Row(
        "Now",
        (
            _stat(
                "Processes ready",
                "Processes that reach Temporal and Postgres, know the schema and do not drain.",
                "short",
                f"sum(feedmill_ready{{{_N}}})",
            ),
            _stat(
                "Tasks waiting",
                "In all queues, by Temporal's estimate.",
                "short",
                f"sum(feedmill:task_queue_backlog:max{{{_N}}})",
                (100, 1_000),
            ),
            _stat(
                "Longest wait of a task",
                "Age of the task that has waited longest, in any queue.",
                "s",
                f"max(feedmill_task_queue_backlog_seconds{{{_N}}})",
                (60, 300),
            ),
            _stat(
                "Workflows failed",
                "In the time that is shown. What sites do is an outcome and fails no workflow.",
                "short",
                f"sum(increase(temporal_workflow_failed_total{{{_N}}}[$__range])){NEVER}",
                (1, 5),
            ),
        ),
    ),
    Row(
        "Queues",
        (
            _lines(
                "Backlog",
                "Tasks that wait for a worker: what pools are scaled by.",
                "short",
                (f"feedmill:task_queue_backlog:max{{{_N}}}", "{{task_queue}} {{task_queue_type}}"),
            ),
            _lines(
                "Slots in use",
                "Of those that a pool's processes have together. Memory and CPU may allow fewer.",
                "percentunit",
                (f"feedmill:worker_slots_used:ratio{{{_N}}}", "{{task_queue}}"),
            ),
            _lines(
                "Schedule to start, p95",
                "How long tasks wait between being given out and being taken.",
                "s",
                (f"feedmill:activity_schedule_to_start:p95_5m{{{_N}}}", "{{task_queue}}"),
                (
                    f"feedmill:workflow_task_schedule_to_start:p95_5m{{{_N}}}",
                    "{{task_queue}}, workflow tasks",
                ),
            ),
            _lines(
                "Pollers",
                "Open requests for work: none means that nobody serves a queue.",
                "short",
                (f"sum by (task_queue) (temporal_num_pollers{{{_N}}})", "{{task_queue}}"),
            ),
        ),
    ),
    Row(
        "Work",
        (
            _lines(
                "Activities",
                "Attempts that ended, by activity and how.",
                "ops",
                (
                    _by("activity, outcome", "feedmill_activity_seconds_count"),
                    "{{activity}} {{outcome}}",
                ),
                stacked=True,
            ),
            _lines(
                "Time of an activity, p95",
                "One attempt at one slice.",
                "s",
                (_quantile(0.95, "feedmill_activity_seconds", "activity"), "{{activity}}"),
            ),
            _lines(
                "Activities that fail",
                "Share of attempts that end with an error of ours: Postgres, Temporal or the model is away, or code is wrong.",
                "percentunit",
                (f"feedmill:activity_failures:ratio_rate5m{{{_N}}}", "{{activity}}"),
            ),
            _lines(
                "Workflows",
                "Runs that completed, failed or went on as new ones.",
                "ops",
                (_by("workflow_type", "temporal_workflow_completed_total"), "{{workflow_type}}"),
                (
                    _by("workflow_type", "temporal_workflow_failed_total") + NEVER,
                    "{{workflow_type}} failed",
                ),
            ),
            _lines(
                "Time of a workflow, p95",
                "From its start to its end, waiting included.",
                "s",
                (
                    _quantile(0.95, "temporal_workflow_endtoend_latency_seconds", "workflow_type"),
                    "{{workflow_type}}",
                ),
            ),
            _lines(
                "Time of a workflow task, p95",
                "Running and replaying workflow code: should stay far below ten seconds.",
                "s",
                (
                    _quantile(0.95, "temporal_workflow_task_execution_latency_seconds"),
                    "execution",
                ),
                (_quantile(0.95, "temporal_workflow_task_replay_latency_seconds"), "replay"),
            ),
        ),
    ),
    Row(
        "Processes",
        (
            _lines(
                "Ready, by pool",
                "How many processes of each kind are of use.",
                "short",
                (f"sum by (component) (feedmill_ready{{{_N}}})", "{{component}}"),
                stacked=True,
            ),
            _lines(
                "Lag of the event loop, p99",
                "How late loops wake up: above a tenth of a second something blocks them.",
                "s",
                (
                    _quantile(0.99, "feedmill_event_loop_lag_seconds", "component"),
                    "{{component}}",
                ),
            ),
            _lines(
                "Memory",
                "Resident memory of each process, without those that parse for it.",
                "bytes",
                (f"sum by (pod) (process_resident_memory_bytes{{{_N}}})", "{{pod}}"),
            ),
            _lines(
                "CPU",
                "Cores that each process keeps busy, without those that parse for it.",
                "short",
                (_by("pod", "process_cpu_seconds_total"), "{{pod}}"),
            ),
        ),
    ),
)

FEEDS = (
    Row(
        "Now",
        (
            _stat(
                "Readable in time",
                "Share of entries that could be read 15 minutes after they were seen; promised are 99.5 %.",
                "percentunit",
                f"feedmill:entry_seen_to_readable:ratio_rate6h{{{_N}}}",
            ),
            _stat(
                "Polls late by",
                "How late the poll is that should have been first.",
                "s",
                f"max(feedmill_feeds_overdue_seconds{{{_N}}})",
                (900, 3_600),
            ),
            _stat(
                "Spaced too closely",
                "Requests that started too soon after another one to the same host. Zero, always.",
                "short",
                f"sum(increase(feedmill_spacing_violations_total{{{_N}}}[$__range]))",
                (1, 2),
            ),
            _stat(
                "Feeds in trouble",
                "Share of feeds that fail or are dead.",
                "percentunit",
                f"max(feedmill:feeds_in_trouble:ratio{{{_N}}})",
                (0.1, 0.3),
            ),
        ),
    ),
    Row(
        "Freshness",
        (
            _lines(
                "Until an entry can be read",
                "Since its feed showed it to us, and since it was published: polling is the difference.",
                "s",
                (
                    _quantile(0.5, "feedmill_entry_readable_seconds", "since"),
                    "{{since}}, p50",
                ),
                (
                    _quantile(0.95, "feedmill_entry_readable_seconds", "since"),
                    "{{since}}, p95",
                ),
            ),
            _lines(
                "Entries waiting",
                "Seen but not fetched (new), fetched but not distilled.",
                "short",
                (f"max by (stage) (feedmill_entries_waiting{{{_N}}})", "{{stage}}"),
            ),
            _lines(
                "Longest wait of an entry",
                "Age of the entry that has stood at a stage longest.",
                "s",
                (f"max by (stage) (feedmill_entries_waiting_seconds{{{_N}}})", "{{stage}}"),
            ),
            _lines(
                "Entries picked up",
                "Stalled entries that a run was started for by the stage they stood at, and old ones forgotten.",
                "ops",
                (_by("stage", "feedmill_entries_picked_up_total"), "{{stage}}"),
                (_by("component", "feedmill_entries_pruned_total"), "forgotten"),
            ),
            _lines(
                "Entries stalled",
                "Entries that stand still without a living run, when they were last looked for.",
                "short",
                (f"max(feedmill_entries_stalled{{{_N}}})", "stalled"),
            ),
            _lines(
                "New entries",
                "Entries seen for the first time.",
                "ops",
                (_by("component", "feedmill_entries_added_total"), "{{component}}"),
            ),
        ),
    ),
    Row(
        "Feeds",
        (
            _lines(
                "Feeds by health",
                "How feeds are doing, as the page says it.",
                "short",
                (f"max by (health) (feedmill_feeds{{{_N}}})", "{{health}}"),
                stacked=True,
            ),
            _lines(
                "Polls",
                "By how they ended.",
                "ops",
                (_by("outcome", "feedmill_feeds_polled_total"), "{{outcome}}"),
                stacked=True,
            ),
            _lines(
                "Articles",
                "Pages asked for, by how that ended: content, or a dead end with its reason.",
                "ops",
                (_by("outcome", "feedmill_entries_fetched_total"), "{{outcome}}"),
                stacked=True,
            ),
            _lines(
                "Hubs",
                "Requests to hubs, and what they pushed.",
                "ops",
                (
                    _by("mode, outcome", "feedmill_hub_requests_total") + NEVER,
                    "{{mode}} {{outcome}}",
                ),
                (_by("outcome", "feedmill_pushes_total") + NEVER, "push {{outcome}}"),
            ),
        ),
    ),
    Row(
        "Politeness",
        (
            _lines(
                "Requests to sites",
                "By what was asked for and how it ended.",
                "reqps",
                (
                    _by("purpose, outcome", "feedmill_http_request_seconds_count"),
                    "{{purpose}} {{outcome}}",
                ),
                stacked=True,
            ),
            _lines(
                "Time of a request, p95",
                "Redirects included, waiting for a slot not.",
                "s",
                (_quantile(0.95, "feedmill_http_request_seconds", "purpose"), "{{purpose}}"),
            ),
            _lines(
                "Sites that ask for fewer requests",
                "429 and its like: a few are how limits are learnt.",
                "reqps",
                (
                    _by("purpose", "feedmill_http_request_seconds_count", ',outcome="rate_limited"')
                    + NEVER,
                    "{{purpose}}",
                ),
            ),
            _lines(
                "Requests spaced too closely",
                "Must be a flat zero.",
                "reqps",
                (_by("component", "feedmill_spacing_violations_total"), "{{component}}"),
            ),
        ),
    ),
)

DISTILLATION = (
    Row(
        "Articles",
        (
            _lines(
                "Distilled",
                "By who did it and how it ended; reused is what the same text had before.",
                "ops",
                (
                    _by("distiller, outcome", "feedmill_entries_distilled_total"),
                    "{{distiller}} {{outcome}}",
                ),
                stacked=True,
            ),
            _lines(
                "Dead ends",
                "Share of articles that could not be distilled.",
                "percentunit",
                (
                    _by("distiller", "feedmill_entries_distilled_total", _DEAD_END)
                    + " / "
                    + _by("distiller", "feedmill_entries_distilled_total")
                    + NEVER,
                    "{{distiller}}",
                ),
            ),
            _lines(
                "Waiting for it",
                "Articles that are fetched and not yet distilled.",
                "short",
                (f'max(feedmill_entries_waiting{{{_N},stage="fetched"}})', "entries"),
                (
                    f'max(feedmill:task_queue_backlog:max{{{_N},task_queue="distillation"}})',
                    "tasks",
                ),
            ),
            _lines(
                "Time of a slice",
                "How long one attempt at tens of articles takes.",
                "s",
                (
                    _quantile(0.5, "feedmill_activity_seconds", more=',activity="distill_entries"'),
                    "p50",
                ),
                (
                    _quantile(
                        0.95, "feedmill_activity_seconds", more=',activity="distill_entries"'
                    ),
                    "p95",
                ),
            ),
        ),
    ),
    Row(
        "The language model",
        (
            _lines(
                "Time of a call",
                "Of those that were answered.",
                "s",
                (_quantile(0.5, "feedmill_model_seconds", more=',outcome="answered"'), "p50"),
                (_quantile(0.95, "feedmill_model_seconds", more=',outcome="answered"'), "p95"),
            ),
            _lines(
                "Calls",
                "By how they ended.",
                "reqps",
                (_by("outcome", "feedmill_model_seconds_count"), "{{outcome}}"),
                stacked=True,
            ),
            _lines(
                "Calls that are not answered",
                "Share of all calls: the endpoint is away, overloaded or refuses.",
                "percentunit",
                (f"feedmill:model_failures:ratio_rate5m{{{_N}}}", "not answered"),
            ),
            _lines(
                "Tokens",
                "Sent as prompts, and written.",
                "ops",
                (_by("direction", "feedmill_model_tokens_total"), "{{direction}}"),
                stacked=True,
            ),
        ),
    ),
    Row(
        "Money and truth",
        (
            _lines(
                "Cost",
                "What calls cost, in the price table's currency, and how many have no price there.",
                "short",
                (f"sum(rate(feedmill_model_cost_total{{{_N}}}[$__rate_interval]))", "a second"),
                (
                    f"sum(rate(feedmill_model_unpriced_calls_total{{{_N}}}[$__rate_interval]))",
                    "calls without a price",
                ),
            ),
            _lines(
                "When the day's budget is spent",
                "Articles for which there was no room, by what was done instead.",
                "ops",
                (_by("step", "feedmill_budget_steps_total"), "{{step}}"),
                stacked=True,
            ),
            _lines(
                "Claims",
                "What models said of articles, by whether the article bears it out, or why not.",
                "ops",
                (_by("outcome", "feedmill_claims_total"), "{{outcome}}"),
                stacked=True,
            ),
            _lines(
                "Stories",
                "Articles, by whether another one told the same story before: those are not paid for.",
                "ops",
                (_by("outcome", "feedmill_stories_joined_total"), "{{outcome}}"),
                stacked=True,
            ),
        ),
    ),
)

GATEWAY = (
    Row(
        "Requests",
        (
            _lines(
                "Requests",
                "By status.",
                "reqps",
                (_by("status", "feedmill_gateway_request_seconds_count"), "{{status}}"),
                stacked=True,
            ),
            _lines(
                "Time to the first byte, p95",
                "By route; a stream has no other time.",
                "s",
                (_quantile(0.95, "feedmill_gateway_request_seconds", "route"), "{{route}}"),
            ),
            _lines(
                "Requests by route",
                "Which parts of the API are used.",
                "reqps",
                (_by("route", "feedmill_gateway_request_seconds_count"), "{{route}}"),
            ),
            _lines(
                "Requests that break",
                "Share of answers that are our own fault (5xx).",
                "percentunit",
                (f"feedmill:gateway_errors:ratio_rate5m{{{_N}}}", "5xx"),
            ),
        ),
    ),
    Row(
        "Readers",
        (
            _lines(
                "Listeners",
                "Browsers that receive events now, by pod.",
                "short",
                (
                    f'sum by (pod) (feedmill_event_listeners{{{_N},component="gateway"}})',
                    "{{pod}}",
                ),
                stacked=True,
            ),
            _lines(
                "Lag of the event loop",
                "How late the gateways' loops wake up.",
                "s",
                (
                    _quantile(0.5, "feedmill_event_loop_lag_seconds", more=',component="gateway"'),
                    "p50",
                ),
                (
                    _quantile(0.99, "feedmill_event_loop_lag_seconds", more=',component="gateway"'),
                    "p99",
                ),
            ),
        ),
    ),
)

DASHBOARDS = {
    "fleet": ("Fleet", FLEET),
    "feeds": ("Feeds", FEEDS),
    "distillation": ("Distillation", DISTILLATION),
    "gateway": ("Gateway", GATEWAY),
}


def rendered() -> dict[str, str]:
    """Return every dashboard's JSON, by the name of its file."""
    return {
        f"{name}.json": json.dumps(dashboard(name, title, rows), indent=1) + "\n"
        for name, (title, rows) in DASHBOARDS.items()
    }


def main() -> None:
    for name, text in rendered().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
