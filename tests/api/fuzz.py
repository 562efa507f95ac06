"""``make fuzz``: schemathesis against the running web server, every check, and sequences by links."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.api import Servers
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
            cwd=directory,
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


def main() -> None:
    """Twins in 50 rounds, then some 100,000 cases; with a number, about so many for each operation."""
    examples = int(sys.argv[1]) if sys.argv[1:] else 3_000
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
        Path(directory).chmod(0o755)
        with Servers(Path(directory)):
            key, client_id = seed()
            from tests.api import twins
            from tests.api.calling import body_for

            with Web(workers=2) as web:
                for number in range(1, 51):
                    body = body_for({"clientId": client_id})
                    twins.check(twins.twins(web, key, body, f"twin-{number}", 200))
                print("50 rounds of 200 twins: one message each, 200 equal ids.", flush=True)
                sent = fuzz(web, key, examples)
    print(f"{sent:,} cases: no server error, no answer outside the document.")


def seed() -> tuple[str, str]:
    """A key that may do everything, and the id of a recipient that can be reached."""
    import django

    django.setup()
    from signalize_console.api.models import ApiKey
    from signalize_console.api.scopes import EVERYTHING
    from tests.makers import make_subscription, make_website

    website = make_website()
    client_id = make_subscription(website).recipient.client_id
    return ApiKey.issue(website, "fuzz", EVERYTHING, requests_per_minute=10**9)[1], client_id


if __name__ == "__main__":
    main()
