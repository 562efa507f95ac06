"""On Debian's PostgreSQL, which compiles what it thinks dear, claiming is not compiled: that took a second each time."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.programs import lacking


def test_claiming_is_not_compiled(tmp_path: Path) -> None:
    installed = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres"))
    if not installed:
        lacking("needs an own PostgreSQL of Debian. apt-get install --no-install-recommends postgresql")
    for place in (tmp_path, *tmp_path.parents[:2]):
        place.chmod(0o755)

    done = subprocess.run(
        [sys.executable, "-m", "tests.deliveries.compiling", str(tmp_path)],
        env={**os.environ, "SIGNALIZE_PG_BIN": str(installed[0].parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert not done.returncode, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["claimed"] == 1
    assert said["plans"] >= 2
    assert said["compiled_otherwise"] == 1
    assert said["compiled"] == 0
