"""On Debian's PostgreSQL, which compiles what it thinks dear, claiming is not compiled: that took a second each time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import lacking


@pytest.fixture
def directory() -> Iterator[str]:
    """One that PostgreSQL's own account can reach; pytest's own can't be."""
    with tempfile.TemporaryDirectory(prefix="signalize-compiling-") as place:
        Path(place).chmod(0o755)
        yield place


def test_claiming_is_not_compiled(directory: str) -> None:
    installed = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres"))
    if not installed:
        lacking("needs an own PostgreSQL of Debian. apt-get install --no-install-recommends postgresql")

    done = subprocess.run(
        [sys.executable, "-m", "tests.deliveries.compiling", directory],
        env={**os.environ, "SIGNALIZE_PG_BIN": str(installed[0].parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert not done.returncode, done.stderr
    said = json.loads(done.stdout)
    assert said["claimed"] == 1
    assert said["plans"] >= 2
    assert said["compiled_otherwise"] == 1
    assert said["compiled"] == 0
