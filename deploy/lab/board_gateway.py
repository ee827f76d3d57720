"""Requests and readers."""

from lab.grafana import Row
from lab.panels import NAMESPACE, lines, quantile, rates

GATEWAY = (
    Row(
        "Requests",
        (
            lines(
                "Requests",
                "By status.",
                "reqps",
                (rates("status", "feedmill_gateway_request_seconds_count"), "{{status}}"),
                stacked=True,
            ),
            lines(
                "Time to the first byte, p95",
                "By route; a stream has no other time.",
                "s",
                (quantile(0.95, "feedmill_gateway_request_seconds", "route"), "{{route}}"),
            ),
            lines(
                "Requests by route",
                "Which parts of the API are used.",
                "reqps",
                (rates("route", "feedmill_gateway_request_seconds_count"), "{{route}}"),
            ),
            lines(
                "Requests that break",
                "Share of answers that are our own fault (5xx).",
                "percentunit",
                (f"feedmill:gateway_errors:ratio_rate5m{{{NAMESPACE}}}", "5xx"),
            ),
        ),
    ),
    Row(
        "Readers",
        (
            lines(
                "Listeners",
                "Browsers that receive events now, by pod.",
                "short",
                (
                    f'sum by (pod) (feedmill_event_listeners{{{NAMESPACE},component="gateway"}})',
                    "{{pod}}",
                ),
                stacked=True,
            ),
            lines(
                "Lag of the event loop",
                "How late the gateways' loops wake up.",
                "s",
                (
                    quantile(0.5, "feedmill_event_loop_lag_seconds", more=',component="gateway"'),
                    "p50",
                ),
                (
                    quantile(0.99, "feedmill_event_loop_lag_seconds", more=',component="gateway"'),
                    "p99",
                ),
            ),
        ),
    ),
)
