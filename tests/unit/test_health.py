"""What a container's prober hears: yes from a server that says 200, no from any other and from none."""

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType

import pytest
from deploy_files import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def health() -> ModuleType:
    """deploy/health.py, which is in no package: the image holds it as a file."""
    spec = importlib.util.spec_from_file_location("health", ROOT / "deploy" / "health.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def answering(statuses: dict[str, int]) -> Iterator[int]:
    """A server with an answer for each path; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 404))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_full_server_is_alive_and_not_ready(health: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({"/healthz": 200, "/readyz": 503}) as port:
        monkeypatch.setenv("SAMEDAY_PORT", str(port))
        assert (health.main(["healthz"]), health.main(["readyz"])) == (0, 1)


def test_where_nobody_listens_the_answer_is_no(health: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({}) as port:
        pass
    monkeypatch.setenv("SAMEDAY_PORT", str(port))
    assert health.main(["healthz"]) == 1


@pytest.mark.parametrize("arguments", [[], ["metrics"], ["healthz", "readyz"]])
def test_another_question_is_refused(health: ModuleType, arguments: list[str]) -> None:
    assert health.main(arguments) == 2
