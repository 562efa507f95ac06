import os
import stat
from pathlib import Path

import pytest

from signalize_console.embedded.directories import make_private
from signalize_console.embedded.processes import CannotStart


def test_what_it_makes_is_for_its_owner_only(tmp_path: Path) -> None:
    make_private(tmp_path / "new")
    make_private(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_it_refuses_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(CannotStart, match="link is not ours"):
        make_private(tmp_path / "link")


def test_it_refuses_what_others_may_enter(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    with pytest.raises(CannotStart, match="open is open to others"):
        make_private(tmp_path / "open")


def test_it_refuses_what_belongs_to_somebody_else(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    if os.geteuid() == 0:
        theirs.mkdir(mode=0o700)
        os.chown(theirs, 12345, 12345)
    else:
        theirs = Path("/")
    with pytest.raises(CannotStart, match="is not ours"):
        make_private(theirs)
