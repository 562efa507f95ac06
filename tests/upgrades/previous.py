"""The code before the migrations that come after the baseline, out of the repository's history."""

import subprocess
import tarfile
from pathlib import Path

from django.db.migrations.loader import MigrationLoader

from tests.upgrades import rules
from tests.web import ROOT


class NoHistory(Exception):
    """This is no clone with the history that it takes: a tarball, or a shallow clone."""


def commit() -> str:
    """The commit before the one that added the first of those migrations."""
    coming = rules.after_baseline(MigrationLoader(None))
    files = [f"signalize_console/{one.app_label}/migrations/{one.name}.py" for one in coming]
    try:
        added = _git("log", "--diff-filter=A", "--reverse", "--format=%H", "--", *files).split()
        # What isn't committed yet comes after all that is.
        return _git("rev-parse", f"{added[0]}^" if added else "HEAD").strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoHistory(str(error)) from error


def unpack(commit: str, into: Path) -> None:
    _git("archive", f"--output={into.with_suffix('.tar')}", commit)
    with tarfile.open(into.with_suffix(".tar")) as archive:
        archive.extractall(into, filter="data")
    into.with_suffix(".tar").unlink()


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
