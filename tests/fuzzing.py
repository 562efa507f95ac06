"""schemathesis, in a process of its own, against a running web server."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.web import ROOT


def fuzz(schema: str, *options: str, config: Path | None = None, **env: str) -> int:
    """Raises SystemExit with what it found; else how many cases it sent."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                *([f"--config-file={config}"] if config else []),
                *("run", schema, "--no-color", "--continue-on-failure", "--generation-database=none"),
                *("--suppress-health-check=all", "--request-timeout=60", f"--report-dir={directory}"),
                *options,
            ],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), **env},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stdout[-20_000:] + done.stderr[-2_000:])
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated, done.stdout[-2_000:]
    return int(generated[1])
