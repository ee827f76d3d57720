"""Feeds and entries: how fresh they are, and whether we are polite."""

from lab.grafana import Row
from lab.panels import NAMESPACE, NEVER, lines, quantile, rates, stat

FEEDS = (
    Row(
        "Now",
        (
            stat(
                "Readable in time",
                "Share of entries that could be read 15 minutes after they were seen; promised are 99.5 %.",
                "percentunit",
                f"feedmill:entry_seen_to_readable:ratio_rate6h{{{NAMESPACE}}}",
            ),
            stat(
                "Polls late by",
                "How late the poll is that should have been first.",
                "s",
                f"max(feedmill_feeds_overdue_seconds{{{NAMESPACE}}})",
                (900, 3_600),
            ),
            stat(
                "Spaced too closely",
                "Requests that started too soon after another one to the same host. Zero, always.",
                "short",
                f"sum(increase(feedmill_spacing_violations_total{{{NAMESPACE}}}[$__range]))",
                (1, 2),
            ),
            stat(
                "Feeds in trouble",
                "Share of feeds that fail or are dead.",
                "percentunit",
                f"max(feedmill:feeds_in_trouble:ratio{{{NAMESPACE}}})",
                (0.1, 0.3),
            ),
        ),
    ),
    Row(
        "Freshness",
        (
            lines(
                "Until an entry can be read",
                "Since its feed showed it to us, and since it was published: polling is the difference.",
                "s",
                (
                    quantile(0.5, "feedmill_entry_readable_seconds", "since"),
                    "{{since}}, p50",
                ),
                (
                    quantile(0.95, "feedmill_entry_readable_seconds", "since"),
                    "{{since}}, p95",
                ),
            ),
            lines(
                "Entries waiting",
                "Seen but not fetched (new), fetched but not distilled.",
                "short",
                (f"max by (stage) (feedmill_entries_waiting{{{NAMESPACE}}})", "{{stage}}"),
            ),
            lines(
                "Longest wait of an entry",
                "Age of the entry that has stood at a stage longest.",
                "s",
                (f"max by (stage) (feedmill_entries_waiting_seconds{{{NAMESPACE}}})", "{{stage}}"),
            ),
            lines(
                "Entries picked up",
                "Stalled entries that a run was started for by the stage they stood at, and old ones forgotten.",
                "ops",
                (rates("stage", "feedmill_entries_picked_up_total") + NEVER, "{{stage}}"),
                (rates("component", "feedmill_entries_pruned_total"), "forgotten"),
            ),
            lines(
                "Entries stalled",
                "Entries that stand still without a living run, when they were last looked for.",
                "short",
                (f"max(feedmill_entries_stalled{{{NAMESPACE}}})", "stalled"),
            ),
            lines(
                "New entries",
                "Entries seen for the first time.",
                "ops",
                (rates("component", "feedmill_entries_added_total"), "{{component}}"),
            ),
        ),
    ),
    Row(
        "Feeds",
        (
            lines(
                "Feeds by health",
                "How feeds are doing, as the page says it.",
                "short",
                (f"max by (health) (feedmill_feeds{{{NAMESPACE}}})", "{{health}}"),
                stacked=True,
            ),
            lines(
                "Polls",
                "By how they ended.",
                "ops",
                (rates("outcome", "feedmill_feeds_polled_total"), "{{outcome}}"),
                stacked=True,
            ),
            lines(
                "Articles",
                "Pages asked for, by how that ended: content, or a dead end with its reason.",
                "ops",
                (rates("outcome", "feedmill_entries_fetched_total"), "{{outcome}}"),
                stacked=True,
            ),
            lines(
                "Hubs",
                "Requests to hubs, and what they pushed.",
                "ops",
                (
                    rates("mode, outcome", "feedmill_hub_requests_total") + NEVER,
                    "{{mode}} {{outcome}}",
                ),
                (rates("outcome", "feedmill_pushes_total") + NEVER, "push {{outcome}}"),
            ),
        ),
    ),
    Row(
        "Politeness",
        (
            lines(
                "Requests to sites",
                "By what was asked for and how it ended.",
                "reqps",
                (
                    rates("purpose, outcome", "feedmill_http_request_seconds_count"),
                    "{{purpose}} {{outcome}}",
                ),
                stacked=True,
            ),
            lines(
                "Time of a request, p95",
                "Redirects included, waiting for a slot not.",
                "s",
                (quantile(0.95, "feedmill_http_request_seconds", "purpose"), "{{purpose}}"),
            ),
            lines(
                "Sites that ask for fewer requests",
                "429 and its like: a few are how limits are learnt.",
                "reqps",
                (
                    rates(
                        "purpose", "feedmill_http_request_seconds_count", ',outcome="rate_limited"'
                    )
                    + NEVER,
                    "{{purpose}}",
                ),
            ),
            lines(
                "Requests spaced too closely",
                "Must be a flat zero.",
                "reqps",
                (rates("component", "feedmill_spacing_violations_total"), "{{component}}"),
            ),
        ),
    ),
)
