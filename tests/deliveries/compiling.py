"""Sends a message on a server of its own with ``jit`` on, as PostgreSQL has it by default, and says what it compiled.

In a process of its own: which PostgreSQL it is, SIGNALIZE_PG_BIN names.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import CARELESS, EmbeddedPostgres

EXPLAINING = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET client_min_messages = log
"""


def main(directory: Path) -> None:
    home = Home(directory)
    os.environ |= {"SIGNALIZE_HOME": str(directory), "DATABASE_URL": home.database_url}
    os.environ["DJANGO_SETTINGS_MODULE"] = "signalize_console.settings"
    postgres = EmbeddedPostgres(home, settings={**CARELESS, "jit": "on"}).start()
    try:
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
        print(json.dumps(send()))
    finally:
        postgres.stop()


def send() -> dict[str, int]:
    """How many plans there were, how many of them were compiled, and the same of a statement that always is."""
    import django

    django.setup()
    from django.db import connection

    from signalize_console.deliveries import ledger, outbox, progress
    from tests.makers import make_message, make_subscription, make_text, make_website

    website = make_website()
    make_subscription(website)
    plans: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(EXPLAINING)
        connection.connection.add_notice_handler(lambda said: plans.append(said.message_primary or ""))
        outbox.send(make_message(website), [make_text()])
        while progress.advance(False):
            pass
        plans.clear()
        (claimed,) = ledger.record_and_claim(False, [], [ledger.Claim(10)])
        ledger.record_and_claim(
            False, [ledger.Result(one, "accepted", "accepted", status=201) for one in claimed], []
        )
        claiming = list(plans)
        plans.clear()
        cursor.execute("SET jit_above_cost = 0; SELECT count(*) FROM recipients_recipient")
        return {
            "claimed": len(claimed),
            "version": connection.pg_version,
            "plans": len(claiming),
            "compiled": sum("JIT:" in plan for plan in claiming),
            "compiled_otherwise": sum("JIT:" in plan for plan in plans),
        }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
