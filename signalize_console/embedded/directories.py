"""Directories that only their owner may enter: sockets and data lie in them."""

import os
import stat
from pathlib import Path

from signalize_console.embedded.processes import CannotStart


def make_private(directory: Path, owner: int = -1, group: int = -1) -> None:
    """Makes the directory, 0700, for ``owner`` (a user id; -1: ours).

    Raises CannotStart if what is there is not a directory, is somebody else's, or is open to others.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise CannotStart(f"{directory} can't be made: {error.strerror}.") from error
    facts = directory.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {os.geteuid(), owner}:
        raise CannotStart(f"{directory} is not ours. Remove it, or move SIGNALIZE_HOME.")
    if stat.S_IMODE(facts.st_mode) != 0o700:
        raise CannotStart(f"{directory} is open to others. Remove it, or give it the mode 0700.")
    os.chown(directory, owner, group)
