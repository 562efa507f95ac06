"""The whole console as processes: durable PostgreSQL, a broker, four Celery workers, beat, web, a push service.

Whatever ends is started again at once, as a supervisor would do.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import psycopg

from signalize_console.embedded import processes
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.valkey import EmbeddedValkey
from tests.faults.crashing import Arms
from tests.faults.pgbouncer import PgBouncer
from tests.faults.proxy import Wire
from tests.faults.push_service import AUTHKEY, Door, Face
from tests.faults.rabbitmq import RabbitMq
from tests.web import free_port, is_open

CELERY = ["-m", "celery", "-A", "tests.faults.worker"]
WORKERS = {
    "transactional-1": "transactional,maintenance,automations",
    "transactional-2": "transactional,maintenance,automations",
    "marketing-1": "marketing",
    "marketing-2": "marketing",
}
# States of a process (proc(5)): ended, whether its parent knows or not; told to stop.
DEAD, STOPPED = {"", "Z", "X"}, "T"
# Who claimed what, and what was lost with whom; and whether anything that had ended changed again.
WITNESSES = """
CREATE TABLE faults_claim (delivery_id bigint, attempts int, worker text, claimed_at timestamptz DEFAULT clock_timestamp());
CREATE INDEX ON faults_claim (worker);
CREATE TABLE faults_lost (delivery_id bigint, attempts int, became text, at timestamptz);
CREATE TABLE faults_changed (delivery_id bigint, was text, became text);
CREATE FUNCTION faults_witness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'pending' AND NEW.state = 'sending' THEN
        INSERT INTO faults_claim VALUES (NEW.id, NEW.attempts, current_setting('application_name'), DEFAULT);
    ELSIF NEW.losses > OLD.losses THEN
        INSERT INTO faults_lost VALUES (NEW.id, NEW.attempts, NEW.state, clock_timestamp());
    ELSIF OLD.state NOT IN ('pending', 'sending') AND NEW.state <> OLD.state THEN
        INSERT INTO faults_changed VALUES (NEW.id, OLD.state, NEW.state);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER faults_witness AFTER UPDATE OF state, losses ON deliveries_delivery
FOR EACH ROW EXECUTE FUNCTION faults_witness();
"""


class Ended(NamedTuple):
    name: str
    pid: int
    code: int
    at: float


class System:
    """Use as a context manager; only then may the console's models be imported.

    ``spread``: as on several machines, with two webs, beat twice, and a wire to the database; ``others``: over
    RabbitMQ instead of Valkey, and with PgBouncer at the end of the wire.
    """

    def __init__(self, directory: Path, *, spread: bool = False, others: bool = False) -> None:
        directory.chmod(0o755)
        self.directory, self.home = directory, Home(directory)
        self.arms = Arms(directory)
        self.postgres, self.valkey = EmbeddedPostgres(self.home), EmbeddedValkey(self.home)
        self.rabbitmq = RabbitMq(directory) if others else None
        self.pgbouncer = PgBouncer(self.home) if others else None
        self.broker: EmbeddedValkey | RabbitMq = self.rabbitmq or self.valkey
        end = self.pgbouncer.port if self.pgbouncer else self.home.postgres_sockets / ".s.PGSQL.5432"
        self.wire = Wire(end) if spread else None
        self.webs = {"web": free_port(), **({"web-2": free_port()} if spread else {})}
        self.beats = ["beat", *(["beat-2"] if spread else [])]
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ended: list[Ended] = []
        self.held_down: set[str] = set()
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """Of one of the webs, as by a load balancer."""
        return f"http://127.0.0.1:{random.choice(list(self.webs.values()))}"

    def __enter__(self) -> Self:
        self.postgres.start()
        self.valkey.start()
        for other in (self.rabbitmq, self.pgbouncer):
            if other:
                other.start()
        self.push_service = self._open_push_service()
        services, authority = self.push_service.places()
        self.env = {
            "SIGNALIZE_HOME": str(self.directory),
            "DATABASE_URL": self.home.database_url,
            "CELERY_BROKER_URL": self.rabbitmq.url if self.rabbitmq else self.home.broker_url,
            "SIGNALIZE_LIMITS_URL": self.home.broker_url,
            "SIGNALIZE_PUSH_SERVICES": services,
            "SIGNALIZE_PUSH_SERVICES_CA": authority,
            "DJANGO_SETTINGS_MODULE": "signalize_console.settings",
            "FAULTS_DIRECTORY": str(self.directory),
            "LOG_LEVEL": "ERROR",
        }
        os.environ.update(self.env)
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
        with psycopg.connect(self.home.database_url) as connection:
            connection.execute(WITNESSES)
        if self.wire:
            self.wire.__enter__()
            password = quote(self.home.database_password)
            self.env["DATABASE_URL"] = (
                f"postgresql://signalize:{password}@127.0.0.1:{self.wire.port}/signalize"
            )
        for name in (*WORKERS, *self.beats, *self.webs):
            self._start(name)
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()
        self.wait_for_web()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._supervisor.join()
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            processes.stop(process, signal.SIGTERM, 5)
        processes.stop(self._service, signal.SIGKILL, 5)
        if self.wire:
            self.wire.__exit__()
        for other in (self.rabbitmq, self.pgbouncer):
            if other:
                other.stop()
        self.valkey.stop()
        self.postgres.stop()

    def _open_push_service(self) -> Face:
        place = self.directory / "push"
        place.mkdir()
        code = f"from tests.faults import push_service; push_service.serve({str(place)!r})"
        argv = [sys.executable, "-c", code]
        self._service = processes.start(
            argv, log=self.home.logs / "push.log", ends_by=signal.SIGKILL, env={**os.environ}
        )
        door = Door(address=str(place / "door"), authkey=AUTHKEY)

        def opens() -> bool:
            with contextlib.suppress(OSError):
                door.connect()
                return True
            return False

        wait_until(opens, 30, "The push service double did not start.")
        face: Face = door.face()  # type: ignore[attr-defined]
        return face

    def _start(self, name: str) -> None:
        queues = WORKERS.get(name)
        argv: list[Any] = [sys.executable]
        if queues:
            argv += [*CELERY, "worker", "--loglevel=ERROR", "--concurrency=1", f"--queues={queues}"]
            argv += ["--without-gossip", "--without-mingle", f"--hostname={name}@faults"]
        elif name in self.beats:
            argv += [*CELERY, "beat", "--loglevel=ERROR", "--pidfile="]
        else:
            argv += ["-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={self.webs[name]}"]
            argv += ["--workers=1", "--blocking-threads=8", "--no-ws", "--log-level=error"]
            argv += ["tests.faults.web:application"]
        self.running[name] = processes.start(
            argv, log=self.log(name), env={**os.environ, **self.env, "PYTHONWARNINGS": "ignore"}
        )

    def log(self, name: str) -> Path:
        return self.home.logs / f"{name}.log"

    def _supervise(self) -> None:
        while not self._stopping.wait(0.02):
            for name, process in list(self.running.items()):
                if (code := process.poll()) is not None and name not in self.held_down:
                    processes.end_group(process)
                    self.ended.append(Ended(name, process.pid, code, time.time()))
                    self._start(name)

    def children(self, name: str) -> list[int]:
        """The processes that a worker or the web server has forked."""
        pid = self.running[name].pid
        try:
            return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def wait_for_web(self, seconds: float = 60) -> None:
        def answers() -> bool:
            return all(is_open(port) for port in self.webs.values())

        wait_until(answers, seconds, f"The web does not answer. See {self.log('web')}")

    def wait_for_workers(self, seconds: float = 60) -> None:
        for name in WORKERS:
            wait_until(lambda name=name: self.children(name), seconds, f"{name} did not start.")  # type: ignore[misc]

    def died_of_9(self, pid: int) -> bool:
        """Whether this process ended with exit code −9, as its own parent saw it."""
        if any(one.pid == pid and one.code == -signal.SIGKILL for one in self.ended):
            return True
        said = f"pid:{pid} exited with 'signal 9 (SIGKILL)'"
        return any(said in self.log(name).read_text(errors="replace") for name in WORKERS)


def state_of(pid: int) -> str:
    """As proc(5) has it; a process that is gone has none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_until(true: Any, seconds: float, what: str) -> Any:
    end = time.monotonic() + seconds
    while not (value := true()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)
    return value
