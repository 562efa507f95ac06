"""``manage.py runconsole``: everything on one machine, until Ctrl-C. ``make run`` calls it."""

import os
import sys
import time
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from signalize_console import environment
from signalize_console.embedded import processes, readiness
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.processes import CannotStart
from signalize_console.embedded.supervisor import Child, Supervisor, console_children, node
from signalize_console.embedded.valkey import EmbeddedValkey
from signalize_console.webpush.push_services import PushServices

BANNER = """
  Signalize Console runs. Started in {seconds:.1f} s; Ctrl-C stops it.

    Console     {origin}/admin/{start}
    API docs    {origin}/v3/docs
    Logs        {logs}
"""
FIRST_ACCOUNT = "\n    Accounts    manage.py createsuperuser makes the first one"


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
        env = self._environment()
        supervisor = Supervisor(self.stdout.write, parent=os.getppid() if "MAKELEVEL" in env else None)
        supervisor.listen_to_signals()
        self._start_servers(stack, supervisor)
        self._manage("migrate", "--no-input", "--verbosity=0")
        if settings.DEMO:
            self.stdout.write(self._manage("bootstrap", f"--port={port}"), ending="")
        stack.callback(self.stdout.write, "Stopped.")
        stack.callback(supervisor.stop)
        stack.callback(self.stdout.write, "\nStopping: what is under way is finished first.")
        for child in console_children(self.home.logs, bind, port, env):
            supervisor.start(child)
        self._wait(supervisor, bind, port)
        seconds, origin = time.monotonic() - started, f"http://localhost:{port}"
        start = f"\n    Demo page   {origin}/demo/" if settings.DEMO else FIRST_ACCOUNT
        self.stdout.write(BANNER.format(seconds=seconds, origin=origin, logs=self.home.logs, start=start))
        supervisor.keep_running()

    def _environment(self) -> dict[str, str]:
        os.environ.setdefault("SIGNALIZE_DEMO", "1")
        settings.DEMO = environment.boolean("SIGNALIZE_DEMO", True)
        os.environ["SIGNALIZE_HOME"] = str(self.home.path)
        return dict(os.environ, PYTHONUNBUFFERED="1")

    def _start_servers(self, stack: ExitStack, supervisor: Supervisor) -> None:
        if url := environment.text("DATABASE_URL"):
            readiness.check_database(url)
        else:
            readiness.check_space(self.home.postgres)
            self._start_server(EmbeddedPostgres(self.home), stack, supervisor)
        if url := environment.text("CELERY_BROKER_URL"):
            readiness.check_broker(url)
        else:
            self._start_server(EmbeddedValkey(self.home), stack, supervisor)

    def _start_server(
        self, server: EmbeddedPostgres | EmbeddedValkey, stack: ExitStack, supervisor: Supervisor
    ) -> None:
        stack.callback(server.stop)
        child = Child(server.name, server.log, lambda: server.start().process)
        child.start()
        supervisor.servers.append(child)

    def _manage(self, *command: str) -> str:
        done = processes.run([sys.executable, settings.BASE_DIR / "manage.py", *command])
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
            raise CannotStart(f"manage.py {command[0]} failed: {reason}")
        return done.stdout

    def _wait(self, supervisor: Supervisor, bind: str, port: int) -> None:
        web, transactional, marketing, maintenance, beat = supervisor.children
        host = "127.0.0.1" if bind in {"0.0.0.0", "::"} else bind  # noqa: S104
        nodes = [node("transactional"), node("marketing"), node("maintenance")]
        for ready, child in (
            (lambda: readiness.web_answers(host, port), web),
            (lambda: nodes[0] in readiness.tasks_done(nodes[:1]), transactional),
            (lambda: nodes[1] in readiness.tasks_done(nodes[1:2]), marketing),
            (lambda: nodes[2] in readiness.tasks_done(nodes[2:]), maintenance),
            # What beat asks for each second has gone through the broker, and a worker has done it.
            (lambda: any(readiness.tasks_done(nodes).values()), beat),
        ):
            readiness.wait_until(ready, child, supervisor.stopping)
