"""One pass of `reader` (PyPI) over a list of feeds, measured from inside; run by another interpreter.

Prints its figures as a line of JSON.
"""

import json
import re
import sys
import time
from pathlib import Path

from reader import make_reader  # type: ignore[import-not-found]  # installed by the bench itself


def main(database: str, urls: str, workers: str) -> None:
    reader = make_reader(database)
    for url in Path(urls).read_text().split():
        reader.add_feed(url, exist_ok=True)
    began, cpu = time.perf_counter(), time.process_time()
    # Unscheduled: everything now, as the others do.
    reader.update_feeds(scheduled=False, workers=int(workers))
    figures = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "megabytes": _peak_megabytes(),
        "entries": reader.get_entry_counts().total,
    }
    print(json.dumps(figures))


def _peak_megabytes() -> float:
    # `measuring` has the same, but needs psutil, which has no business in this interpreter.
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1_024 / 1e6 if found else 0.0


if __name__ == "__main__":
    main(*sys.argv[1:])
