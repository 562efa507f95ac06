"""A wire to PostgreSQL that can be cut, or go silent: what a network between machines does."""

import contextlib
import select
import socket
import threading
import time
from pathlib import Path
from typing import Self

from tests.web import free_port

AT_ONCE = 65_536


class Wire:
    """Use as a context manager. Passes on what comes to ``port`` to a Unix socket or another port, and back."""

    def __init__(self, to: Path | int) -> None:
        self.to, self.port = to, free_port()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._silent_until = 0.0
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._server.close()
        self.cut()

    def cut(self) -> int:
        """Every connection ends, in the middle of whatever it does. Returns how many there were."""
        pairs = list(self._pairs)
        for pair in pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def silence(self, seconds: float) -> None:
        """Nothing gets through for so long, but nobody is told."""
        self._silent_until = time.monotonic() + seconds

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                near, _address = self._server.accept()
            except OSError:
                return
            is_port = isinstance(self.to, int)
            far = socket.socket(socket.AF_INET if is_port else socket.AF_UNIX)
            try:
                far.connect(("127.0.0.1", self.to) if is_port else str(self.to))
            except OSError:
                near.close()
                far.close()
                continue
            threading.Thread(target=self._carry, args=[near, far], daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        pair = near, far
        self._pairs.add(pair)
        try:
            while ready := select.select([near, far], [], [])[0]:
                time.sleep(max(0.0, self._silent_until - time.monotonic()))
                for one in ready:
                    if not (said := one.recv(AT_ONCE)):
                        return
                    (far if one is near else near).sendall(said)
        except OSError:
            return
        finally:
            self._pairs.discard(pair)
            near.close()
            far.close()
