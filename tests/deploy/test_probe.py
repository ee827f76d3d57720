import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from feedmill.telemetry.probe import is_ready
from support.programs import free_port


@contextmanager
def process_that_says(status: int) -> Iterator[int]:
    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Says) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_the_probe_says_what_the_process_says(status: int, ready: bool) -> None:
    with process_that_says(status) as port:
        assert is_ready("127.0.0.1", port) is ready


def test_a_process_that_is_not_there_is_not_ready() -> None:
    assert is_ready("127.0.0.1", free_port()) is False
