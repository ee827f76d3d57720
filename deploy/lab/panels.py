"""The words that the tables of the dashboards are written in."""

from lab.grafana import Panel, Series

NAMESPACE = 'namespace=~"$namespace"'
_RATE = "[$__rate_interval]"
# What may never happen, and then is zero rather than nothing.
NEVER = " or on() vector(0)"


def rates(labels: str, metric: str, more: str = "") -> str:
    """Return the rate of a counter by its labels."""
    return f"sum by ({labels}) (rate({metric}{{{NAMESPACE}{more}}}{_RATE}))"


def quantile(share: float, metric: str, labels: str = "", more: str = "") -> str:
    """Return a quantile of a histogram, by labels."""
    by = f"{labels}, le" if labels else "le"
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket{{{NAMESPACE}{more}}}{_RATE})))"


def stat(
    title: str,
    description: str,
    unit: str,
    expr: str,
    thresholds: tuple[float, float] | None = None,
) -> Panel:
    return Panel(title, description, unit, (Series(expr),), "stat", 6, thresholds=thresholds)


def lines(
    title: str, description: str, unit: str, *series: tuple[str, str], stacked: bool = False
) -> Panel:
    return Panel(title, description, unit, tuple(Series(*each) for each in series), stacked=stacked)
