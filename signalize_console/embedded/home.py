"""Where an installation keeps its own things: keys, logs, and the data of the embedded servers."""

import base64
import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

# A socket's path must fit 108 bytes, its name included.
LONGEST_SOCKET_DIRECTORY = 80
FOR_SHORT_PATHS = Path("/tmp")  # noqa: S108 - what is there is used only if it is ours and private
FOR_ALL = Path("/var/lib/signalize-console")


class Home:
    """``path`` is SIGNALIZE_HOME. Nothing is read or written before a property is asked for.

    Raises ImproperlyConfigured, with the remedy, where the home can't be written or a secret is lost.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def secret_key(self) -> str:
        return self._secret("secret_key", 48)

    @property
    def key_encryption_key(self) -> str:
        """Seals the VAPID private keys: 32 bytes, base64url. Lose it, and every subscription is lost."""
        return self._secret("key_encryption_key")

    @property
    def database_password(self) -> str:
        return self._secret("database_password")

    @property
    def database_url(self) -> str:
        sockets = quote(str(self.postgres_sockets), safe="/")
        return f"postgresql://signalize:{quote(self.database_password)}@/signalize?host={sockets}"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.valkey_socket}?virtual_host=0"

    @property
    def logs(self) -> Path:
        return self._directory(self.path / "logs")

    @property
    def media(self) -> Path:
        """The pictures that were uploaded for messages."""
        return self._directory(self.path / "media")

    @property
    def postgres(self) -> Path:
        """PostgreSQL's own directory: here, or (as root, below a directory that is closed to its account)
        in /var/lib/signalize-console, with a link from here."""
        here = self.path / "postgres"
        if os.geteuid() != 0 or here.is_dir() or is_open_to_others(self.path):
            return here
        return FOR_ALL / self._hash / "postgres"

    @property
    def postgres_sockets(self) -> Path:
        return self._short(self.postgres / "run", "postgres")

    @property
    def valkey_socket(self) -> Path:
        return self._short(self.path / "run", "valkey") / "valkey.sock"

    @property
    def _hash(self) -> str:
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:12]

    def _short(self, directory: Path, name: str) -> Path:
        if len(os.fsencode(directory)) <= LONGEST_SOCKET_DIRECTORY:
            return directory
        return FOR_SHORT_PATHS / f"signalize-{os.geteuid()}-{self._hash}-{name}"

    def _directory(self, path: Path) -> Path:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error
        return path

    def _secret(self, name: str, size: int = 32) -> str:
        """The content of a file that only we can read; made when it is first asked for."""
        path = self._directory(self.path) / name
        try:
            if not path.exists():
                _write_once(path, base64.urlsafe_b64encode(secrets.token_bytes(size)).rstrip(b"="))
            content = path.read_text().strip()
        except OSError as error:
            raise _unusable(path, error) from error
        if not content:
            raise ImproperlyConfigured(f"{path} is empty. Put back its content from your backup.")
        return content


def _write_once(path: Path, content: bytes) -> None:
    """Makes the file whole or not at all; one that is there already is kept."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as file:  # mode 0600
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Makes the names in a directory outlast a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_open_to_others(path: Path) -> bool:
    """Whether another account could walk to ``path``, by the modes of what exists of it."""
    existing = [place for place in [path, *path.parents] if place.exists()]
    return all(place.stat().st_mode & stat.S_IXOTH for place in existing)


def _unusable(path: Path, error: OSError) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{path} can't be used: {error.strerror}. "
        "Make room and give this account the right to it, or set SIGNALIZE_HOME to another directory."
    )
