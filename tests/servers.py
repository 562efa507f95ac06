"""A pytest plugin: real PostgreSQL and Valkey for this run, started before Django reads its settings."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import CARELESS, EmbeddedPostgres
from signalize_console.embedded.valkey import EmbeddedValkey

directory = Path(tempfile.mkdtemp(prefix="signalize-tests-"))
directory.chmod(0o755)
home = Home(directory)
postgres = EmbeddedPostgres(home, settings=CARELESS).start()
valkey = EmbeddedValkey(home).start()
os.environ.update(
    SIGNALIZE_HOME=str(directory), DATABASE_URL=home.database_url, CELERY_BROKER_URL=home.broker_url
)


@atexit.register
def stop() -> None:
    valkey.stop()
    postgres.stop()
    shutil.rmtree(directory, ignore_errors=True)
