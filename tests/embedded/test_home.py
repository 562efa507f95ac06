import resource
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from signalize_console.embedded.home import Home

SECRETS = ("secret_key", "key_encryption_key", "database_password")


@contextmanager
def no_room_for_files() -> Iterator[None]:
    """The kernel refuses to let any file grow, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", SECRETS)
def test_it_keeps_each_secret_in_a_file_that_only_its_owner_reads(home: Home, name: str) -> None:
    secret = getattr(home, name)
    file = home.path / name
    assert file.read_text() == secret
    assert len(secret) >= 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert getattr(Home(home.path), name) == secret


def test_all_who_ask_at_once_get_the_same_secret(home: Home) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _number: Home(home.path).secret_key, range(64)))
    assert set(answers) == {(home.path / "secret_key").read_text()}
    assert [file.name for file in home.path.iterdir()] == ["secret_key"]


def test_a_secret_that_could_not_be_written_leaves_nothing_behind(home: Home) -> None:
    with no_room_for_files(), pytest.raises(ImproperlyConfigured, match=r"secret_key can't be used: .*room"):
        _ = home.secret_key
    assert list(home.path.iterdir()) == []
    assert len(home.secret_key) >= 43


def test_it_refuses_an_empty_secret(home: Home) -> None:
    (home.path / "key_encryption_key").touch()
    with pytest.raises(ImproperlyConfigured, match=r"key_encryption_key is empty.*backup"):
        _ = home.key_encryption_key


def test_it_says_so_where_it_cannot_be_written(home: Home) -> None:
    (home.path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match=r"file/below can't be used: .*SIGNALIZE_HOME"):
        _ = Home(home.path / "file" / "below").secret_key


def test_its_sockets_fit_however_long_its_path_is(home: Home) -> None:
    for name in ("short", "ä" * 30):
        here = Home(home.path / name)
        here.path.mkdir()
        for socket in (here.valkey_socket, here.postgres_sockets / ".s.PGSQL.5432"):
            assert len(str(Path(socket)).encode()) < 104
