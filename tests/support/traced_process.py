"""A process that tells of more spans than anybody takes, and ends: what it cost, as JSON."""

import json
import sys
import time

from pydantic import HttpUrl

from feedmill.config import LogFormat, LogSettings, TracingSettings
from feedmill.telemetry import spans
from feedmill.telemetry.logs import configure_logs

# Several times what is kept for a collector that is away.
_SPANS = 20_000


def main(endpoint: str) -> None:
    configure_logs(LogSettings(log_format=LogFormat.JSON), "tester")
    spans.start(TracingSettings(tracing_endpoint=HttpUrl(endpoint)), "tester")
    started = time.monotonic()
    for number in range(_SPANS):
        with spans.span("work", {"number": number}):
            pass
    telling = time.monotonic() - started
    # Several times what is sent is tried meanwhile.
    time.sleep(3)
    started = time.monotonic()
    spans.stop(1.0)
    print(json.dumps({"telling": telling / _SPANS, "stopping": time.monotonic() - started}))


if __name__ == "__main__":
    main(sys.argv[1])
