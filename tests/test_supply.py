"""What comes from elsewhere: the lock file has every package that requirements.txt asks for, each with hashes."""

import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.web import ROOT

PIN = re.compile(r"^(?P<name>[a-zA-Z0-9._-]+)(\[.*?\])?==(?P<version>[^ ;\\]+)")


def pins(file: Path) -> dict[str, str]:
    found = (PIN.match(line) for line in file.read_text().splitlines())
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found if pin}


def needed(requirement: Requirement, seen: set[str]) -> set[str]:
    """The packages that this one needs here, as they are installed, with itself."""
    name = canonicalize_name(requirement.name)
    if requirement.marker and not any(
        requirement.marker.evaluate({"extra": extra}) for extra in ["", *requirement.extras]
    ):
        return seen
    if name not in seen or requirement.extras:
        seen.add(name)
        for line in metadata.requires(name) or []:
            one = Requirement(line)
            extras = ["", *requirement.extras]
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
                one.marker = None
                needed(one, seen)
    return seen


def asked_for() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_the_lock_has_what_is_asked_for_in_the_same_versions() -> None:
    lock = pins(ROOT / "requirements.lock")
    for name, version in pins(ROOT / "requirements.txt").items():
        assert lock.get(name) == version, f"{name}: run make lock"


def test_the_lock_has_all_that_those_need() -> None:
    seen: set[str] = set()
    for requirement in asked_for():
        needed(requirement, seen)
    assert len(seen) > len(asked_for())
    missing = seen - set(pins(ROOT / "requirements.lock"))
    assert not missing, "run make lock"


def test_each_package_has_hashes() -> None:
    entries = re.split(r"\n(?=[a-z])", (ROOT / "requirements.lock").read_text())[1:]
    assert len(entries) == len(pins(ROOT / "requirements.lock"))
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


UNANSWERED = "x    Dependency not found on PyPI and could not be audited: x (1)"


@pytest.mark.parametrize(
    ("answers", "ends", "code", "word"),
    [
        (["No known vulnerabilities found"], 0, 0, ""),
        (["Found 1 known vulnerability in 1 package"], 1, 1, ""),
        (["No known vulnerabilities found, 1 skipped", UNANSWERED], 0, 75, "Not audited"),
        (["Found 2 known vulnerabilities in 1 package", UNANSWERED], 1, 1, ""),
        (["ERROR:pip_audit._cli:Connection refused"], 1, 75, "Not audited"),
        (["ERROR:pip_audit._cli:invalid requirements input"], 1, 1, ""),
    ],
)
def test_an_audit_that_could_not_look_is_no_clean_bill(
    tmp_path: Path, answers: list[str], ends: int, code: int, word: str
) -> None:
    program = tmp_path / "pip-audit"
    program.write_text("#!/bin/sh\n" + "".join(f'echo "{one}"\n' for one in answers) + f"exit {ends}\n")
    program.chmod(0o755)
    done = subprocess.run([ROOT / "tests/audit", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stdout.splitlines() == answers
    assert done.stderr.startswith(word) if word else done.stderr == ""
