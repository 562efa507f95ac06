"""One request at a time over a browser's debugging websocket."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CENTRE_OF = """(() => {
  const element = ELEMENT;
  element.scrollIntoView({block: "center"});
  const box = element.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
})()"""


class Browser(ABC):
    """A stock browser with a fresh profile. ``js`` evaluates an expression in the page and awaits it."""

    name: str
    binary: str

    def __init__(self, desktop_address: str) -> None:
        self.profile = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        (self.profile / "tmp").mkdir()
        self.env = {
            **os.environ,
            "DBUS_SESSION_BUS_ADDRESS": desktop_address,
            "TMPDIR": str(self.profile / "tmp"),
            "HOME": str(self.profile),
            "LANG": "en_US.UTF-8",
        }
        self.number = 0
        self.start()

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def quit(self) -> None: ...

    @abstractmethod
    def open(self, url: str) -> None: ...

    @abstractmethod
    def js(self, expression: str) -> Any: ...

    @abstractmethod
    def pages(self) -> list[str]:
        """The addresses of all open pages."""

    @abstractmethod
    def click(self, selector: str) -> None: ...

    @abstractmethod
    def click_at(self, x: float, y: float) -> None: ...

    def tap(self, element: str) -> None:
        """Clicks the element that the expression gives, wherever it is: in a shadow root, too."""
        self.click_at(*self.js(CENTRE_OF.replace("ELEMENT", element)))

    @abstractmethod
    def uncached(self) -> None:
        """From now on nothing is taken from the browser's HTTP cache."""

    @abstractmethod
    def permit(self, origin: str, state: str = "granted") -> None: ...

    def wait(self, expression: str, seconds: float = 15) -> Any:
        """Until the expression is true in the page."""
        end = time.monotonic() + seconds
        while not (value := self.js(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name}: {expression}\n{self.js('document.body.innerText')}")
            time.sleep(0.02)
        return value

    def spawn(self, argv: list[str], pattern: str) -> str:
        """Starts the browser; returns what its output says of its debugging address."""
        log = self.profile / "log"
        with log.open("w") as output:
            self.process = subprocess.Popen(
                argv, stdout=output, stderr=output, env=self.env, start_new_session=True
            )
        end = time.monotonic() + 60
        while not (match := re.search(pattern, log.read_text(errors="replace"))):
            if time.monotonic() > end or self.process.poll() is not None:
                self.kill()
                raise RuntimeError(f"{self.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        return match.group(1)

    def connect(self, url: str) -> None:
        self.connection = ExitStack()
        opened = connect(url, max_size=None, open_timeout=30)
        self.socket: ClientConnection = self.connection.enter_context(opened)

    def call(self, method: str, parameters: dict[str, Any], seconds: float = 30, **extra: str) -> Any:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters, **extra}))
        while True:
            message = json.loads(self.socket.recv(timeout=seconds))
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']} {message.get('message', '')}")
                return message["result"]

    def restart(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Closes the browser as a person would, and opens it again on the same profile."""
        self.quit()
        self.process.wait(20)
        self.connection.close()
        meanwhile()
        self.start()

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def close(self) -> None:
        self.connection.close()
        self.kill()
        shutil.rmtree(self.profile, ignore_errors=True)


def wrapped(expression: str) -> str:
    """The expression's value as JSON, whether it is a promise or not."""
    return f"(async () => JSON.stringify((await ({expression})) ?? null))()"
