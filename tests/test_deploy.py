"""The recipes for production, as far as a machine without containers can try them: all parts start as written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import yaml
from compose_spec import PyCompose
from django.core.management import get_commands
from django.db import connection
from django.test import Client
from pytest_django import Settings

from signalize_console.celery import app
from signalize_console.pushservice.certificates import Certificates
from tests import egress, servers
from tests.deliveries.test_workers import a_place
from tests.embedded.living import wait_until
from tests.faults.pgbouncer import BINARY, PgBouncer
from tests.programs import lacking, require
from tests.web import ROOT, free_port, is_open

DEPLOY = ROOT / "deploy"
BACKUP = DEPLOY / "systemd" / "signalize-backup.service"
MUST_AGREE = (
    "DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "SIGNALIZE_KEY_ENCRYPTION_KEY", "SIGNALIZE_INSTALLATION",
)  # fmt: skip
# Its default, if it has one.
VARIABLE = re.compile(r"\$\{\w+(?::([-?])([^${}]*))?\}")
QUEUES = {queue.name for queue in app.conf.task_queues}


def ours() -> list[list[str]]:
    """The commands of the console's own services in compose.yaml."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return [
        one["command"]
        for name, one in services.items()
        if "command" in one and name != "broker" and "profiles" not in one
    ]


def parts() -> list[list[str]]:
    """How the three recipes start each part: the arguments of deploy/start."""
    found = ours()
    found += [
        line.partition("deploy/start ")[2].split() for line in (DEPLOY / "Procfile").read_text().splitlines()
    ]
    for unit in set((DEPLOY / "systemd").glob("*.service")) - {BACKUP}:
        command = re.search(r"^ExecStart=/opt/signalize-console/deploy/start (.*)$", unit.read_text(), re.M)
        assert command, unit
        found.append(command[1].split())
    return found


def test_every_recipe_has_every_part_and_serves_every_queue() -> None:
    for commands in (
        ours(),
        [line.split()[2:] for line in (DEPLOY / "Procfile").read_text().splitlines()],
    ):
        assert {command[0] for command in commands} == {"migrate", "web", "worker", "beat"}
        # Each queue has a worker of its own: a slow receiver of webhooks must not hold up the automations.
        assert {command[1] for command in commands if command[0] == "worker"} == QUEUES
    target = (DEPLOY / "systemd" / "signalize.target").read_text()
    assert set(re.findall(r"worker@(\w+)", target)) >= QUEUES
    assert {command[0] for command in parts()} == {"migrate", "web", "worker", "beat"}


def composed(**changed: str) -> dict[str, Any]:
    """compose.yaml without its anchors, each variable with its default or a host; and with something changed."""
    written = (DEPLOY / "compose.yaml").read_text()
    for ours, other in changed.items():
        assert ours in written
        written = written.replace(ours, other)
    while VARIABLE.search(written):
        written = VARIABLE.sub(lambda one: one[2] if one[1] == "-" else "push.example.com", written)
    project: dict[str, Any] = yaml.safe_load(written)
    PyCompose.from_yaml(yaml.safe_dump(project)).validate()
    return project


def test_compose_keeps_to_the_specification() -> None:
    """And to what a parser of one file doesn't look at: what is named is there."""
    project = composed()
    services = project["services"]
    for name, service in services.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert wanted["condition"] != "service_healthy" or services[other]["healthcheck"]["test"], name
        named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert {one for one in named if not one.startswith("/")} <= set(project["volumes"]), name
        assert set(service.get("secrets", [])) <= set(project["secrets"]), name


def test_containers_do_not_fill_the_disk_with_their_logs() -> None:
    for name, service in composed()["services"].items():
        assert {"max-size", "max-file"} <= set(service.get("logging", {}).get("options", {})), name


@pytest.mark.parametrize(
    ("ours", "mistyped"),
    [
        ("read_only: true", "read_onyl: true"), ("interval: 5s", "interval: soon"), ('restart: "no"', "restart: never"),
        ("${PORT:-8000}:8000", "${PORT:-80000}:8000"), ("service_completed_successfully", "service_complete"),
    ],
)  # fmt: skip
def test_what_is_mistyped_in_compose_would_be_noticed(ours: str, mistyped: str) -> None:
    with pytest.raises(ValueError, match=r"services\."):
        composed(**{ours: mistyped})


def test_shellcheck_finds_nothing_in_any_script() -> None:
    require("shellcheck")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    scripts = [name for name in files.splitlines() if is_shell(ROOT / name)]
    assert {"deploy/start", "deploy/manage", "tests/check", ".ci/run"} <= set(scripts)
    done = subprocess.run(["shellcheck", *scripts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def is_shell(file: Path) -> bool:
    with file.open("rb") as opened:
        return bool(re.match(rb"#!.*\b(ba)?sh\b", opened.readline(80)))


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        lacking("needs systemd-analyze. On Debian: apt-get install systemd")
    here = tmp_path / "opt"
    shutil.copytree(DEPLOY / "systemd", here)
    for unit in here.glob("*.service"):
        unit.write_text(
            unit.read_text()
            .replace("/opt/signalize-console/deploy/start", "/bin/true")
            .replace("/opt/signalize-console/.venv/bin/python", "/bin/true")
            .replace("EnvironmentFile=/etc", "EnvironmentFile=-/etc")
            .replace("User=signalize", "User=root")
        )
    units = sorted(str(unit) for unit in here.iterdir())
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_machine_runs_all_parts_or_those_that_are_left(tmp_path: Path) -> None:
    """Also after a reboot: what is disabled is no longer among what the target wants."""
    if not shutil.which("systemctl"):
        lacking("needs systemctl. On Debian: apt-get install systemd")
    units = tmp_path / "etc/systemd/system"
    shutil.copytree(DEPLOY / "systemd", units)

    def wanted(*command: str) -> set[str]:
        subprocess.run(["systemctl", f"--root={tmp_path}", *command], check=True, capture_output=True)
        return {one.name.removesuffix(".service") for one in (units / "signalize.target.wants").iterdir()}

    workers = {f"signalize-worker@{queue}" for queue in QUEUES}
    assert wanted("enable", "signalize.target") == workers | {"signalize-web", "signalize-beat"}
    assert wanted("disable", "signalize-web", "signalize-beat") == workers


def test_the_nightly_backup_runs_what_there_is() -> None:
    commands = re.findall(
        r"^ExecStart=(?:/opt/signalize-console/\.venv/bin/python manage\.py )(\w+)", BACKUP.read_text(), re.M
    )
    assert commands == ["backup", "verify_ledger"]
    assert set(commands) <= set(get_commands())


def test_manage_reads_the_settings_as_systemd_does(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "manage", tmp_path / "deploy" / "manage")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$2|$OLD_AND_NEW|$QUOTED|$URL|$LAST|${COMMENT-unset}"\n')
    python.chmod(0o755)
    settings = tmp_path / "environment"
    settings.write_text(
        'OLD_AND_NEW=one two\n# COMMENT=1\n\nQUOTED="a b"\nURL=postgresql://u@/d?host=/run\nLAST=$HOME'
    )
    # As the one who runs the tests: the account signalize may be missing.
    program = (tmp_path / "deploy" / "manage").read_text().replace('"$(id -u)" = 0', "a = b")
    (tmp_path / "deploy" / "manage").write_text(program)

    def manage(file: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tmp_path / "deploy" / "manage", "check"],
            env={"PATH": os.environ["PATH"], "SIGNALIZE_ENVIRONMENT": str(file)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert manage(settings).stdout == "check|one two|a b|postgresql://u@/d?host=/run|$HOME|unset\n"
    missing = manage(tmp_path / "nothing")
    assert missing.returncode == 77
    assert "Run this as root" in missing.stderr


def test_nginx_of_debian_takes_the_proxy(tmp_path: Path) -> None:
    """Debian 12's knows no "http2 on;"."""
    if not shutil.which("nginx"):
        lacking("needs nginx. On Debian: apt-get install nginx-light")
    proxy(tmp_path)
    done = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "test is successful" in done.stderr


def test_nginx_takes_two_webs_as_documented(tmp_path: Path) -> None:
    require("nginx")
    proxy(tmp_path)
    upstream = re.search(r"^ *(upstream signalize \{.*\})$", (ROOT / "docs/operations.md").read_text(), re.M)
    assert upstream
    file = tmp_path / "nginx.conf"
    written = file.read_text().replace("http { ", f"http {{ {upstream[1]} ")
    written, count = re.subn(r"proxy_pass \S+;", "proxy_pass http://signalize;", written)
    assert count == 1
    file.write_text(written)
    done = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["/health/ready", "/metrics"])
def test_a_web_is_asked_by_its_private_address_where_that_is_named(
    page: str, db: None, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "watch"
    headers = {"host": "10.0.0.12:8000", "authorization": "Bearer watch"}
    assert Client().get(page, headers=headers).status_code == 400
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "10.0.0.12"]
    assert Client().get(page, headers=headers).status_code == 200


def proxy(directory: Path) -> int:
    """Our nginx.conf in a directory of its own; the port of its HTTPS. Behind it is nothing."""
    Certificates(directory)
    secure, plain = free_port(), free_port()
    written = re.sub(
        r"(ssl_certificate(?:_key)?) \S+;",
        rf"\1 {directory}/server.pem;",
        (DEPLOY / "nginx.conf").read_text(),
    )
    for ours, here in {
        " 443 ": f" 127.0.0.1:{secure} ", "listen 80;": f"listen 127.0.0.1:{plain};",
        "/var/log/nginx": str(directory), "127.0.0.1:8000": f"127.0.0.1:{free_port()}",
    }.items():  # fmt: skip
        assert ours in written
        written = written.replace(ours, here)
    written = re.sub(r"listen \[::\]:.*;", "", written)
    (directory / "nginx.conf").write_text(
        f"pid {directory}/pid; error_log stderr; events {{}} http {{ {written} }}"
    )
    return secure


def test_the_proxys_logs_name_no_visitor(tmp_path: Path) -> None:
    if not shutil.which("nginx"):
        lacking("needs nginx. On Debian: apt-get install nginx-light")
    port, log = proxy(tmp_path), tmp_path / "signalize.log"
    command = ["nginx", "-p", str(tmp_path), "-c", f"{tmp_path}/nginx.conf", "-g", "daemon off;"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            assert wait_until(lambda: is_open(port), 20)
            for path in ("/v3/customers/jane-doe/events?q=smith", "/admin/?q=smith", "/"):
                answer = requests.get(
                    f"https://localhost:{port}{path}",
                    verify=f"{tmp_path}/ca.pem",
                    headers={"User-Agent": "Mozilla/5"},
                    timeout=10,
                )
                assert answer.status_code == 502
            assert wait_until(lambda: log.read_text().count("\n") == 3, 10)
        finally:
            running.terminate()
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [line[1:4] for line in lines] == [
        ["GET", "/v3/customers", "502"], ["GET", "/admin/", "502"], ["GET", "/", "502"],
    ]  # fmt: skip
    written = "".join(file.read_text() for file in tmp_path.glob("*.log"))
    assert not re.search("jane|smith|Mozilla|127.0.0.1", written)


@pytest.mark.django_db
def test_pgbouncer_takes_its_settings_and_asks_for_the_password() -> None:
    if not BINARY.exists():
        lacking("needs pgbouncer. On Debian: apt-get install pgbouncer")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolname = 'signalize'")
        name, secret = cursor.fetchone()
    assert secret.startswith("SCRAM-SHA-256$")
    pooler = PgBouncer(servers.home)
    written = (DEPLOY / "pgbouncer.ini").read_text()
    for ours, here in {
        "host=127.0.0.1 port=5432": f"host={servers.home.postgres_sockets}",
        "listen_port = 6432": f"listen_port = {pooler.port}",
        "/etc/pgbouncer/userlist.txt": str(pooler.directory / "userlist.txt"),
    }.items():
        assert ours in written
        written = written.replace(ours, here)
    pooler.directory.mkdir(exist_ok=True)
    (pooler.directory / "userlist.txt").write_text(f'"{name}" "{secret}"\n')
    address = f"host=127.0.0.1 port={pooler.port} dbname=signalize user=signalize"
    pooler.start(settings=written)
    try:
        with psycopg.connect(address, password=servers.home.database_password) as through:
            assert through.execute("SELECT current_user").fetchone() == ("signalize",)
        with pytest.raises(psycopg.OperationalError, match="SASL authentication failed"):
            psycopg.connect(address, password="guessed")
    finally:
        pooler.stop()


def test_workers_reach_the_resolvers_and_servers_that_are_named(tmp_path: Path) -> None:
    resolvers, settings = tmp_path / "resolv.conf", tmp_path / "environment"
    resolvers.write_text("search example.net\nnameserver 169.254.169.253\nnameserver fe80::1%eth0\n")
    settings.write_text(
        "DATABASE_URL=postgresql://signalize:pa%2Fss@10.1.2.3:5432/signalize\n"
        'CELERY_BROKER_URL="amqp://a:b@[fd00::5]:5672/vhost"\nSIGNALIZE_LIMITS_URL=redis://10.9.9.9\n'
    )

    def allow() -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "SIGNALIZE_ENVIRONMENT": str(settings)}
        return subprocess.run(
            [DEPLOY / "allow", resolvers], env=env, capture_output=True, text=True, check=False
        )

    allowed = re.findall("^IPAddressAllow=(.*)$", allow().stdout, re.M)
    assert sorted(allowed) == ["10.1.2.3", "10.9.9.9", "169.254.169.253", "fd00::5", "fe80::1"]
    settings.write_text("DATABASE_URL=postgresql://signalize@/signalize?host=/run/postgresql\n")
    assert len(re.findall("^IPAddressAllow=", allow().stdout, re.M)) == 2
    settings.write_text("DATABASE_URL=postgresql://signalize@nowhere.invalid/signalize\n")
    assert allow().returncode == 68
    assert allow().stderr == "nowhere.invalid has no address.\n"


def test_secrets_are_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "secrets", tmp_path / "secrets")
    made = []
    for _time in range(2):
        subprocess.run([tmp_path / "secrets"], check=True, capture_output=True)
        made.append({one.name: one.read_text() for one in (tmp_path / "secrets.d").iterdir()})
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert made[0] == made[1]
    assert set(made[0]) == set(compose["secrets"])
    assert len(made[0]["key_encryption_key"]) == 43
    assert made[0]["database_password"] in made[0]["database_url"]
    assert (tmp_path / "secrets.d").stat().st_mode & 0o077 == 0


def test_secrets_are_kept_out_of_the_repository_and_the_image() -> None:
    done = subprocess.run(["git", "check-ignore", "deploy/secrets.d/secret_key"], cwd=ROOT, check=False)
    assert done.returncode == 0
    ignored, *kept = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored == "*"
    assert "!deploy" not in kept


def test_containers_get_what_can_be_set() -> None:
    console = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["web"]
    named = {name.removesuffix("_FILE") for name in console["environment"]}
    wanted = set(
        re.findall(r"SIGNALIZE_KEEP_[A-Z]+_DAYS", (ROOT / "signalize_console/settings.py").read_text())
    )
    wanted |= {"SIGNALIZE_METRICS_TOKEN", "SIGNALIZE_SECOND_FACTOR", "SIGNALIZE_IDLE_MINUTES", "TIME_ZONE"}
    wanted |= {"SIGNALIZE_CONVERSION_EVENTS", "SIGNALIZE_CONVERSION_HOURS", "SIGNALIZE_LINK_CHECK"}
    wanted |= {"SIGNALIZE_PUSH_SERVICES", "SIGNALIZE_PROCESSES", "SIGNALIZE_WEB_WORKERS"}
    assert len(wanted) > 10
    assert wanted <= named
    files = {name: value for name, value in console["environment"].items() if name.endswith("_FILE")}
    assert {Path(file).name for file in files.values()} == set(console["secrets"])
    assert "SIGNALIZE_BIND=0.0.0.0" in (DEPLOY / "Dockerfile").read_text()


def test_a_backup_in_containers_can_be_written() -> None:
    backup = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["backup"]
    manage, command, directory = backup["command"]
    assert (manage, command) == ("manage", "backup")
    assert command in get_commands()
    assert any(volume.endswith(f":{directory}") for volume in backup["volumes"])


@pytest.mark.parametrize("missing", MUST_AGREE)
def test_a_part_without_what_all_must_share_does_not_start(missing: str, tmp_path: Path) -> None:
    """It would make a key of its own, and wait or be refused for ever without a word."""
    env = {"PATH": os.environ["PATH"], "SIGNALIZE_PYTHON": "/bin/echo", "SIGNALIZE_HOME": str(tmp_path)}
    given = dict.fromkeys(MUST_AGREE, "x")
    file = {**given, f"{missing}_FILE": "/run/secrets/x"}
    del given[missing], file[missing]

    def start(more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [str(DEPLOY / "start"), "worker", "marketing"]
        return subprocess.run(command, env=env | more, capture_output=True, text=True, check=False)

    refused = start(given)
    assert refused.returncode == 78
    assert refused.stderr.startswith(f"{missing} isn't set. It must be the same")
    assert "## On several machines" in (ROOT / "docs/operations.md").read_text()
    assert start(file).returncode == 0
    assert not list(tmp_path.iterdir())


def test_only_this_machine_reaches_the_web_unless_told() -> None:
    env = {"PATH": os.environ["PATH"], "SIGNALIZE_PYTHON": "/bin/echo"} | dict.fromkeys(MUST_AGREE, "x")
    for more, host in (({}, "127.0.0.1"), ({"SIGNALIZE_BIND": "0.0.0.0"}, "0.0.0.0")):
        done = subprocess.run(
            [DEPLOY / "start", "web"], env=env | more, capture_output=True, text=True, check=True
        )
        assert f"--host={host} " in done.stdout


def test_who_runs_stays_with_its_code_when_an_update_turns_the_link(tmp_path: Path) -> None:
    release, link = tmp_path / "release-1", tmp_path / "signalize-console"
    python = release / ".venv" / "bin" / "python"
    for program in ("start", "manage"):
        (release / "deploy").mkdir(parents=True, exist_ok=True)
        written = (DEPLOY / program).read_text().replace('"$(id -u)" = 0', "a = b")
        (release / "deploy" / program).write_text(written)
        (release / "deploy" / program).chmod(0o755)
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$PWD $1"\n')
    python.chmod(0o755)
    link.symlink_to(release)
    (tmp_path / "environment").write_text("")
    env = {"PATH": os.environ["PATH"], "SIGNALIZE_ENVIRONMENT": str(tmp_path / "environment")}
    env |= dict.fromkeys(MUST_AGREE, "x")

    def said(program: str, *arguments: str) -> str:
        return subprocess.run(
            [link / "deploy" / program, *arguments],
            env=env,
            cwd=link,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert said("start", "manage", "check") == f"{release} manage.py\n"
    assert said("manage", "check").endswith(f" {release}/manage.py\n")


def test_an_unknown_part_is_refused() -> None:
    done = subprocess.run([DEPLOY / "start", "everything"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "web" in done.stderr


@pytest.mark.timeout(300)
def test_all_parts_start_and_stop_as_written() -> None:
    """On a database that keeps its promises: without, no worker would start."""
    port, workers = free_port(), f'signalize_processes{{class="",kind="worker"}} {len(QUEUES)}.0'
    commands = [["web"], ["beat"], *(["worker", queue] for queue in sorted(QUEUES))]
    with a_place() as place:
        env = {
            **place.env,
            "SIGNALIZE_PYTHON": sys.executable,
            "SECRET_KEY": place.home.secret_key,
            "SIGNALIZE_KEY_ENCRYPTION_KEY": place.home.key_encryption_key,
            "SIGNALIZE_INSTALLATION": "here",
            "PORT": str(port),
            "LOG_FORMAT": "json",
            "ALLOWED_HOSTS": "push.example.com",
            "SIGNALIZE_METRICS_TOKEN": "watch",
        }
        # Its tables were made under no name.
        subprocess.run(
            [DEPLOY / "start", "manage", "send_from_here"], env=env, check=True, capture_output=True
        )
        log = place.home.logs / "parts.log"
        with log.open("wb") as file:
            running = [
                subprocess.Popen([DEPLOY / "start", *command], env=env, stdout=file, stderr=file)
                for command in commands
            ]
        try:
            assert wait_until(lambda: asked(port, "health", '"ok"'), 90), log.read_text()
            assert wait_until(lambda: asked(port, "metrics", workers), 30), log.read_text()
            for queue in QUEUES:
                served = f'signalize_processes{{class="{queue}",kind="engine"}} 1.0'
                assert asked(port, "metrics", served), queue
            assert subprocess.run(health_check(port), check=False).returncode == 0
            assert subprocess.run(health_check(free_port()), check=False, capture_output=True).returncode == 1
        finally:
            for process in running:
                process.terminate()
            codes = [process.wait(40) for process in running]
    assert codes == [0] * len(codes)


def health_check(port: int) -> list[str]:
    """The container's own, on this port."""
    command = re.search(r"HEALTHCHECK .*?CMD .*?(\[.*?\])\n", (DEPLOY / "Dockerfile").read_text(), re.S)
    assert command
    python, *arguments = json.loads(command[1])
    assert python == "/venv/bin/python"
    return [sys.executable, *(one.replace(":8000/", f":{port}/") for one in arguments)]


def asked(port: int, page: str, what: str) -> bool:
    try:
        address, token = f"http://127.0.0.1:{port}/{page}", {"Authorization": "Bearer watch"}
        return what in requests.get(address, headers=token, timeout=5).text
    except requests.RequestException:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a network namespace")
def test_s05_the_consoles_account_reaches_push_services_and_its_own_servers_only() -> None:
    for program in ("nft", "ip", "unshare"):
        if not shutil.which(program):
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing(f"{program} is not installed. On Debian: apt-get install nftables iproute2")
    command = ["unshare", "--net", sys.executable, "-m", "tests.egress", str(DEPLOY / "egress.nft"), "nobody"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reached = json.loads(done.stdout)

    assert len(reached["root"]) == len(egress.ADDRESSES) * len(egress.PORTS)
    assert reached["account"] == ["127.0.0.1 5432", "203.0.113.9 443", "::1 5432", "2a00::9 443"]
