"""The running web, the engine, and the push service double, for what lives outside of the console."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.websites.models import Website
from tests.deliveries.conftest import double, running_double, subscribe, work
from tests.makers import make_website
from tests.web import Web, database_url
from tests.webhooks.conftest import receiver, running_receiver

__all__ = ["double", "receiver", "running_double", "running_receiver", "subscribe", "work"]


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website()


@pytest.fixture
def web(website: Website) -> Iterator[Web]:
    with Web(DATABASE_URL=database_url(), threads=4) as web:
        yield web


@pytest.fixture
def key(website: Website) -> str:
    return ApiKey.issue(website, "integration", EVERYTHING)[1]


class Moody(BaseHTTPRequestHandler):
    """A server that answers as ``answers`` says, one after the other, and remembers the keys."""

    answers: list[tuple[int, dict[str, str], bytes]]
    keys: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        status, headers, body = self.answers.pop(0)
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_facts: object) -> None:
        pass


@pytest.fixture
def moody() -> Iterator[ThreadingHTTPServer]:
    Moody.keys = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
