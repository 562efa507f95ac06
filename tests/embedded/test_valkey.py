import os
import stat
from pathlib import Path
from threading import Timer

import pytest
import redis

from signalize_console.embedded.home import Home
from signalize_console.embedded.processes import CannotStart
from signalize_console.embedded.valkey import EmbeddedValkey
from tests.embedded.living import kill, living, start_elsewhere, wait_until


def client(home: Home) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(home.valkey_socket))


def test_it_keeps_its_data_over_a_restart(valkey: EmbeddedValkey) -> None:
    valkey.start()
    with client(valkey.home) as asked:
        asked.set("kept", "1")
    valkey.stop()
    assert living(valkey.home.path) == {}
    valkey.start()
    with client(valkey.home) as asked:
        assert asked.get("kept") == b"1"


def test_it_keeps_its_data_when_it_is_killed(valkey: EmbeddedValkey) -> None:
    valkey.start()
    with client(valkey.home) as asked:
        asked.set("kept", "1")
    assert valkey.process
    valkey.process.kill()
    valkey.process.wait()
    valkey.start()
    with client(valkey.home) as asked:
        assert asked.get("kept") == b"1"


def test_it_ends_with_its_supervisor(home: Home) -> None:
    supervisor = start_elsewhere("valkey.EmbeddedValkey", home.path)
    assert supervisor.stdout
    assert supervisor.stdout.readline() == "started\n"
    kill(supervisor)
    assert wait_until(lambda: not living(home.path))


def test_it_waits_for_a_predecessor_that_is_ending(home: Home, valkey: EmbeddedValkey) -> None:
    predecessor = EmbeddedValkey(home).start()
    Timer(0.4, predecessor.stop).start()
    valkey.start()
    assert predecessor.process
    assert predecessor.process.poll() == 0
    with client(home) as asked:
        assert asked.ping()


def test_its_socket_is_for_its_owner_only(valkey: EmbeddedValkey) -> None:
    valkey.start()
    socket = valkey.home.valkey_socket
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def test_it_refuses_a_socket_directory_that_somebody_else_laid_ready(home: Home) -> None:
    """A long home has its sockets in a directory of everybody's, under a name that can be foreseen."""
    long = Home(home.path / ("long" * 20))
    prepared = long.valkey_socket.parent
    assert prepared.parent == Path("/tmp")
    prepared.mkdir()
    prepared.chmod(0o777)
    try:
        with pytest.raises(CannotStart, match="open to others"):
            EmbeddedValkey(long).start()
        prepared.rmdir()
        server = EmbeddedValkey(long).start()
        server.stop()
    finally:
        os.rmdir(prepared)
