import subprocess
import sys
from pathlib import Path

import pytest

from signalize_console.embedded import processes
from signalize_console.embedded.home import Home
from tests.embedded.living import ROOT, kill, living, wait_until

CALLS = {
    "start": "start(['sleep', '300'], log=home / 'log', cwd=home); time.sleep(300)",
    "run": "run(['sleep', '300'], cwd=home)",
}


@pytest.mark.parametrize("call", CALLS)
def test_a_child_ends_with_its_parent(home: Home, call: str) -> None:
    code = "import sys, time; from pathlib import Path; from signalize_console.embedded import processes\n"
    code += f"home = Path(sys.argv[1]); processes.{CALLS[call]}"
    parent = subprocess.Popen([sys.executable, "-c", code, home.path], cwd=ROOT, text=True)
    assert wait_until(lambda: "sleep 300 " in living(home.path).values())
    kill(parent)
    assert wait_until(lambda: not living(home.path))


def test_a_large_log_makes_room_for_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG", 4)
    log = tmp_path / "some.log"
    for word in ("first", "second"):
        processes.start(["echo", word], log=log).wait()
    assert log.read_text() == "second\n"
    assert (tmp_path / "some.log.1").read_text() == "first\n"


def test_the_last_lines_of_a_log_are_given(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"one\ntwo\nthr\xff\n")
    assert processes.last_lines(tmp_path / "log", 2) == "two\nthr\ufffd"
    assert processes.last_lines(tmp_path / "none") == ""
