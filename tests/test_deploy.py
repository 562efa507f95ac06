"""The recipes for production, as far as a machine without containers can try them: all parts start as written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml
from django.core.management import get_commands

from signalize_console.celery import app
from signalize_console.pushservice.certificates import Certificates
from tests import egress
from tests.deliveries.test_workers import a_place
from tests.embedded.living import wait_until
from tests.programs import lacking
from tests.web import ROOT, free_port

DEPLOY = ROOT / "deploy"
BACKUP = DEPLOY / "systemd" / "signalize-backup.service"
QUEUES = {queue.name for queue in app.conf.task_queues}


def ours() -> list[list[str]]:
    """The commands of the console's own services in compose.yaml."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return [one["command"] for name, one in services.items() if "command" in one and name != "broker"]


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
        served = {queue for command in commands if command[0] == "worker" for queue in command[1].split(",")}
        assert served >= QUEUES
    target = (DEPLOY / "systemd" / "signalize.target").read_text()
    assert set(re.findall(r"worker@(\w+)", target)) >= QUEUES
    assert {command[0] for command in parts()} == {"migrate", "web", "worker", "beat"}


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not there. On Debian: apt-get install systemd")
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
    Certificates(tmp_path)
    written = re.sub(
        r"(ssl_certificate(?:_key)?) \S+;", rf"\1 {tmp_path}/server.pem;", (DEPLOY / "nginx.conf").read_text()
    )
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ {written} }}")
    done = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "test is successful" in done.stderr


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
            "PORT": str(port),
            "SIGNALIZE_BIND": "127.0.0.1",
            "LOG_FORMAT": "json",
            "ALLOWED_HOSTS": "push.example.com",
            "SIGNALIZE_METRICS_TOKEN": "watch",
        }
        log = place.home.logs / "parts.log"
        with log.open("wb") as file:
            running = [
                subprocess.Popen([DEPLOY / "start", *command], env=env, stdout=file, stderr=file)
                for command in commands
            ]
        try:
            assert wait_until(lambda: asked(port, "health", '"ok"'), 90), log.read_text()
            assert wait_until(lambda: asked(port, "metrics", workers), 30), log.read_text()
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
