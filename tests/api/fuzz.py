"""``make fuzz``: schemathesis against the running web server, every check, and sequences by links."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.web import ROOT, Web

CONFIG = Path(__file__).with_name("schemathesis.toml")


def fuzz(web: Web, key: str, examples: int, *, phases: str = "examples,coverage,fuzzing,stateful") -> int:
    """Raises SystemExit with schemathesis' findings; else how many cases were sent."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), f"--config-file={CONFIG}", "run"),
                *(f"{web.origin}/v3/openapi.json", "--checks=all", f"--phases={phases}"),
                *(f"--max-examples={examples}", "--no-color", f"--header=X-API-Key: {key}"),
                *("--generation-database=none", "--request-timeout=60", "--suppress-health-check=all"),
                *("--continue-on-failure", f"--report-dir={directory}"),
            ],
            cwd=ROOT,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stdout[-20_000:] + done.stderr[-2_000:])
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated, done.stdout[-2_000:]
    return int(generated[1])
