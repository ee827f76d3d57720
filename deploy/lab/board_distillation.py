"""Articles and the language model."""

from lab.grafana import Row
from lab.panels import NAMESPACE, NEVER, lines, quantile, rates

_SPENT = f"max by (of) (feedmill_spent_today{{{NAMESPACE}}})"
_CEILING = f"max by (of) (feedmill_daily_ceiling{{{NAMESPACE}}})"
_DEAD_END = ',outcome!~"distilled|reused"'

DISTILLATION = (
    Row(
        "Articles",
        (
            lines(
                "Distilled",
                "By who did it and how it ended; reused is what the same text had before.",
                "ops",
                (
                    rates("distiller, outcome", "feedmill_entries_distilled_total"),
                    "{{distiller}} {{outcome}}",
                ),
                stacked=True,
            ),
            lines(
                "Dead ends",
                "Articles that could not be distilled, by the reason.",
                "ops",
                (
                    rates("outcome", "feedmill_entries_distilled_total", _DEAD_END) + NEVER,
                    "{{outcome}}",
                ),
                stacked=True,
            ),
            lines(
                "Waiting for it",
                "Articles that are fetched and not yet distilled.",
                "short",
                (f'max(feedmill_entries_waiting{{{NAMESPACE},stage="fetched"}})', "entries"),
                (
                    f'max(feedmill:task_queue_backlog:max{{{NAMESPACE},task_queue="distillation"}})',
                    "tasks",
                ),
            ),
            lines(
                "Time of a slice",
                "How long one attempt at tens of articles takes.",
                "s",
                (
                    quantile(0.5, "feedmill_activity_seconds", more=',activity="distill_entries"'),
                    "p50",
                ),
                (
                    quantile(0.95, "feedmill_activity_seconds", more=',activity="distill_entries"'),
                    "p95",
                ),
            ),
        ),
    ),
    Row(
        "The language model",
        (
            lines(
                "Time of a call",
                "Of those that were answered.",
                "s",
                (quantile(0.5, "feedmill_model_seconds", more=',outcome="answered"'), "p50"),
                (quantile(0.95, "feedmill_model_seconds", more=',outcome="answered"'), "p95"),
            ),
            lines(
                "Calls",
                "By how they ended.",
                "reqps",
                (rates("outcome", "feedmill_model_seconds_count"), "{{outcome}}"),
                stacked=True,
            ),
            lines(
                "Calls that are not answered",
                "Share of all calls: the endpoint is away, overloaded or refuses.",
                "percentunit",
                (f"feedmill:model_failures:ratio_rate5m{{{NAMESPACE}}}", "not answered"),
            ),
            lines(
                "Tokens",
                "Sent as prompts, and written.",
                "ops",
                (rates("direction", "feedmill_model_tokens_total"), "{{direction}}"),
                stacked=True,
            ),
        ),
    ),
    Row(
        "Money and truth",
        (
            lines(
                "Cost",
                "What calls cost, in the price table's currency, and how many have no price there.",
                "short",
                (
                    f"sum(rate(feedmill_model_cost_total{{{NAMESPACE}}}[$__rate_interval]))",
                    "a second",
                ),
                (
                    f"sum(rate(feedmill_model_unpriced_calls_total{{{NAMESPACE}}}[$__rate_interval]))",
                    "calls without a price",
                ),
            ),
            lines(
                "Today against its ceiling",
                "Share of what a day (UTC) may cost that calls have cost. Nothing where there is no limit.",
                "percentunit",
                (f"{_SPENT} / {_CEILING}", "{{of}}"),
            ),
            lines(
                "When the day's budget is spent",
                "Articles for which there was no room, by what was done instead.",
                "ops",
                (rates("step", "feedmill_budget_steps_total") + NEVER, "{{step}}"),
                stacked=True,
            ),
            lines(
                "Claims",
                "What models said of articles, by whether the article bears it out, or why not.",
                "ops",
                (rates("outcome", "feedmill_claims_total"), "{{outcome}}"),
                stacked=True,
            ),
            lines(
                "Stories",
                "Articles, by whether another one told the same story before: those are not paid for.",
                "ops",
                (rates("outcome", "feedmill_stories_joined_total"), "{{outcome}}"),
                stacked=True,
            ),
        ),
    ),
)
