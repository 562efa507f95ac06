"""The whole console, started as a user starts it, on a port and in a home of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

import psycopg

from signalize_console.embedded.home import Home

ROOT = Path(__file__).resolve().parent.parent.parent


class Console:
    """``origin`` is where it answers; ``password`` and ``api_key`` are what its first start printed."""

    def __init__(self, **env: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="signalize-console-"))
        self.home.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.origin = f"http://localhost:{self.port}"
        own = {"PORT": str(self.port), "SIGNALIZE_HOME": str(self.home), **env}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "CELERY_BROKER_URL"}
        }
        self.env = {**kept, **own}
        self.output = self.home / "output"

    def __enter__(self) -> Self:
        self.start()
        said = self.output.read_text()
        self.password = re.search(r"the password (\S+)", said).group(1)
        self.api_key = re.search(r"X-API-Key: (\S+)'", said).group(1)
        return self

    def start(self) -> None:
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "runconsole"],
                cwd=ROOT, env=self.env, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + 240
        while "Ctrl-C stops it" not in self.output.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                raise RuntimeError(f"The console did not start:\n{self.output.read_text()}")
            time.sleep(0.05)

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(by)
        return self.process.wait(60)

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def call(
        self, path: str, body: object = None, *, method: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        """A REST call with the demo's key: status and JSON."""
        request = urllib.request.Request(
            f"{self.origin}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-API-Key": self.api_key, "Content-Type": "application/json", **headers},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def manage(self, code: str) -> str:
        """Runs a few lines beside the console, as an operator does with ``manage.py shell``: what they print."""
        command = [sys.executable, "manage.py", "shell", "--verbosity=0", "-c", code]
        done = subprocess.run(command, check=False, cwd=ROOT, env=self.env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Into the console's own database: the rows that it gives."""
        with psycopg.connect(Home(self.home).database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def forget_visitors(self) -> None:
        """Those that other tests left, with all that they did."""
        self.sql("TRUNCATE recipients_recipient CASCADE")

    def send(self, client_id: str, **text: Any) -> tuple[int, Any]:
        """Sends one message to a recipient id."""
        said = {
            "language": "en",
            "title": "Hello",
            "message": "You",
            "link": f"{self.origin}/demo/#opened",
            **text,
        }
        body = {"recipients": [{"clientId": client_id}], "webPush": {"webPushMessageTexts": [said]}}
        return self.call("/v3/subscriptions/pushmessages", body)

    def wait_for(self, message_id: int, seconds: float = 20, **wanted: Any) -> dict[str, Any]:
        """The message's report, as soon as its only delivery is as wanted."""
        end = time.monotonic() + seconds
        while True:
            _status, report = self.call(f"/v3/pushmessages/{message_id}")
            delivery = report["deliveries"][0]
            if all(delivery[name] == value for name, value in wanted.items()):
                return report
            if time.monotonic() > end:
                raise TimeoutError(f"{wanted} was awaited, it is {report}")
            time.sleep(0.02)
