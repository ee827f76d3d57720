"""`python -m feedmill.telemetry.probe`: whether the process in this container is ready.

For container engines that ask by running a command. It loads nothing that takes time to load.
"""

import http.client
import os
import sys

_SECONDS = 4
_OK = 200


def is_ready(host: str, port: int) -> bool:
    """Ask `/readyz` of the process that answers there."""
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_ready("127.0.0.1", int(os.environ.get("FEEDMILL_TELEMETRY_PORT", "9400"))))
