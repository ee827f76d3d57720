from prometheus_client import REGISTRY


def metric(name: str, **labels: str) -> float:
    """Return what a metric stands at in this process."""
    return REGISTRY.get_sample_value(name, labels) or 0
