"""A home for servers of a test's own, and a look at which of its processes live."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.valkey import EmbeddedValkey


@pytest.fixture
def home() -> Iterator[Home]:
    directory = Path(tempfile.mkdtemp(prefix="signalize-embedded-"))
    directory.chmod(0o755)
    yield Home(directory)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def postgres(home: Home) -> Iterator[EmbeddedPostgres]:
    """Not started yet."""
    server = EmbeddedPostgres(home)
    yield server
    server.stop()


@pytest.fixture
def valkey(home: Home) -> Iterator[EmbeddedValkey]:
    """Not started yet."""
    server = EmbeddedValkey(home)
    yield server
    server.stop()
