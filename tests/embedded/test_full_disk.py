import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.processes import CannotStart
from signalize_console.embedded.readiness import check_space


@pytest.fixture
def small_disk(home: Home) -> Iterator[Home]:
    """A home on a disk of 12 MB: less than initdb needs."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "none", str(home.path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root, and not in every container, may mount a small disk")
    yield home
    subprocess.run(["umount", home.path], check=True)


def test_the_console_wants_room_before_it_starts() -> None:
    with pytest.raises(CannotStart, match=r"Only 0 MB are free at /proc; .*SIGNALIZE_HOME"):
        check_space(Path("/proc/none"))


def test_initdb_says_that_the_disk_is_full(small_disk: Home) -> None:
    with pytest.raises(CannotStart, match=r"data directory .*No space left on device"):
        EmbeddedPostgres(small_disk).start()
    assert not (small_disk.postgres / "data").exists()


def test_a_secret_says_that_the_disk_is_full(small_disk: Home) -> None:
    with pytest.raises(OSError, match="No space"):
        (small_disk.path / "filler").write_bytes(bytes(13_000_000))
    with pytest.raises(ImproperlyConfigured, match="secret_key can't be used: No space left on device"):
        _ = small_disk.secret_key
    assert not (small_disk.path / "secret_key").exists()
