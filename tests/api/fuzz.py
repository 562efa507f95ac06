"""``make fuzz``: schemathesis against the running web server, every check, and sequences by links."""

import sys
import tempfile
from pathlib import Path

from tests import fuzzing
from tests.benchmarks.api import Servers
from tests.web import Web

CONFIG = Path(__file__).with_name("schemathesis.toml")


def fuzz(web: Web, key: str, examples: int) -> int:
    """Every check and sequences by links; see ``tests.fuzzing.fuzz``."""
    return fuzzing.fuzz(
        f"{web.origin}/v3/openapi.json",
        *("--checks=all", "--phases=examples,coverage,fuzzing,stateful", f"--max-examples={examples}"),
        f"--header=X-API-Key: {key}",
        config=CONFIG,
        SCHEMATHESIS_HOOKS="tests.api.fuzz_hooks",
    )


def main() -> None:
    """Twins in 50 rounds, then some 100,000 cases; with a number, about so many for each operation."""
    examples = int(sys.argv[1]) if sys.argv[1:] else 3_200
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
