"""``manage.py runconsole``: everything on one machine, until Ctrl-C. ``make run`` calls it."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from signalize_console import environment
from signalize_console.celery import app
from signalize_console.embedded import readiness
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.processes import CannotStart, last_lines
from signalize_console.embedded.supervisor import Supervisor, console_children
from signalize_console.embedded.valkey import EmbeddedValkey
from signalize_console.webpush.push_services import PushServices

BANNER = """
  Signalize Console runs. Started in {seconds:.1f} s; Ctrl-C stops it.

    Console     {origin}/admin/
    Demo page   {origin}/demo/
    API docs    {origin}/v3/docs
    Logs        {logs}
"""


class Command(BaseCommand):
    help = "Starts PostgreSQL, Valkey, the web, the workers and beat on this machine, until Ctrl-C."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.home: Home = settings.HOME
        try:
            with ExitStack() as stack:
                self._run(stack)
        except (CannotStart, ImproperlyConfigured, ValueError) as error:
            self.stderr.write(f"The console did not start. {error}")
            sys.exit(1)

    def _run(self, stack: ExitStack) -> None:
        started = time.monotonic()
        bind, port = environment.text("SIGNALIZE_BIND", "127.0.0.1"), environment.integer("PORT", 8000)
        PushServices.from_text(settings.PUSH_SERVICES)
        lock = stack.enter_context(readiness.lock(self.home))
        lock.truncate(0)
        lock.write(readiness.who_runs(port))
        lock.flush()
        readiness.check_space(self.home.path)
        readiness.check_port(bind, port)
        supervisor = Supervisor(self._environment(), self.stdout.write)
        supervisor.listen_to_signals()
        self._start_servers(stack)
        self._manage("migrate", "--no-input", "--verbosity=0")
        secrets = self._manage("bootstrap", f"--port={port}") if settings.DEMO else ""
        stack.callback(self._farewell, supervisor)
        for child in console_children(self.home.logs, bind, port):
            supervisor.start(child)
        self._wait(supervisor, bind, port)
        origin = f"http://localhost:{port}"
        banner = BANNER.format(seconds=time.monotonic() - started, origin=origin, logs=self.home.logs)
        self.stdout.write(banner)
        if secrets.strip():
            self.stdout.write(secrets)
        supervisor.keep_running()

    def _environment(self) -> dict[str, str]:
        os.environ.setdefault("SIGNALIZE_DEMO", "1")
        settings.DEMO = environment.boolean("SIGNALIZE_DEMO", True)
        os.environ["SIGNALIZE_HOME"] = str(self.home.path)
        return dict(os.environ, PYTHONUNBUFFERED="1")

    def _start_servers(self, stack: ExitStack) -> None:
        if url := environment.text("DATABASE_URL"):
            readiness.check_database(url)
        else:
            postgres = EmbeddedPostgres(self.home)
            stack.callback(postgres.stop)
            postgres.start()
        if url := environment.text("CELERY_BROKER_URL"):
            readiness.check_broker(url)
        else:
            valkey = EmbeddedValkey(self.home)
            stack.callback(valkey.stop)
            valkey.start()

    def _manage(self, *command: str) -> str:
        manage = settings.BASE_DIR / "manage.py"
        done = subprocess.run(
            [sys.executable, str(manage), *command],
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
            raise CannotStart(f"manage.py {command[0]} failed: {reason}")
        return done.stdout

    def _wait(self, supervisor: Supervisor, bind: str, port: int) -> None:
        web, *workers, beat = supervisor.children
        host = "127.0.0.1" if bind in {"0.0.0.0", "::"} else bind  # noqa: S104
        stopped = supervisor.stopping.is_set
        readiness.wait_until(lambda: readiness.web_answers(host, port), "The web server", web.log, stopped)
        names = {one.argv[-1].split("=")[1].split("@")[0] for one in workers}
        readiness.wait_until(lambda: names <= _answering_workers(), "A worker", workers[0].log, stopped)
        readiness.wait_until(lambda: "beat: Starting" in last_lines(beat.log, 200), "Beat", beat.log, stopped)

    def _farewell(self, supervisor: Supervisor) -> None:
        self.stdout.write("\nStopping: what is under way is finished first.")
        supervisor.stop()
        self.stdout.write("Stopped.")


def _answering_workers() -> set[str]:
    replies = app.control.ping(timeout=0.5)
    return {name.split("@")[0] for reply in replies for name in reply}
