"""A private D-Bus session with a desktop that shows notifications, and can click them."""

import asyncio
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

NAME, PLACE = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
# No activation: nothing else is ever started on this bus.
CONFIGURATION = (
    '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" '
    '"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">'
    "<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>"
    '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>'
    '<allow own="*"/></policy></busconfig>'
)


class Notifications(ServiceInterface):
    """org.freedesktop.Notifications, as browsers call it. Annotations are D-Bus signatures."""

    def __init__(self, shown: dict[int, dict[str, Any]], history: list[tuple[str, str]]) -> None:
        super().__init__(NAME)
        self.shown, self.history, self.count = shown, history, 0

    @dbus_method()
    def GetCapabilities(self) -> "as":  # noqa: F722
        return ["actions", "body", "body-hyperlinks", "persistence"]

    @dbus_method()
    def GetServerInformation(self) -> "ssss":  # noqa: F821
        return ["desktop double", "Signalize Console", "1.0", "1.2"]

    @dbus_method()
    def Notify(
        self, app: "s", replaces: "u", icon: "s", summary: "s", body: "s", actions: "as", hints: "a{sv}",  # noqa: F722, F821
        timeout: "i",  # noqa: F821
    ) -> "u":  # noqa: F821  # fmt: skip
        if not replaces:
            self.count += 1
        number = replaces or self.count
        self.history.append((summary, body))
        self.shown[number] = {
            "id": number,
            "title": summary,
            "body": body,
            "actions": dict(zip(actions[::2], actions[1::2], strict=True)),
        }
        return number

    @dbus_method()
    def CloseNotification(self, number: "u"):  # noqa: F821
        if self.shown.pop(number, None):
            self.NotificationClosed(number, 3)

    @dbus_signal()
    def NotificationClosed(self, number, reason) -> "uu":  # noqa: F821
        return [number, reason]

    @dbus_signal()
    def ActionInvoked(self, number, action) -> "us":  # noqa: F821
        return [number, action]


class Desktop:
    """Use as a context manager; ``address`` is for DBUS_SESSION_BUS_ADDRESS.

    ``shown`` is what is on the screen, ``history`` titles and texts of all that ever was.
    """

    def __enter__(self) -> Self:
        self.shown: dict[int, dict[str, Any]] = {}
        self.history: list[tuple[str, str]] = []
        self.directory = Path(tempfile.mkdtemp(prefix="desktop-"))
        self.address = f"unix:path={self.directory}/bus"
        configuration = self.directory / "bus.conf"
        configuration.write_text(CONFIGURATION.format(address=self.address))
        self.daemon = subprocess.Popen(
            ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        # The socket's file exists before anybody listens; this line is printed after.
        if not self.daemon.stdout.readline().startswith("unix:"):
            raise RuntimeError("dbus-daemon did not start.")
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self.thread.start()
        if not ready.wait(10):
            raise RuntimeError("The desktop double did not get on the bus.")
        return self

    def _run(self, ready: threading.Event) -> None:
        self.loop.run_until_complete(self._get_on_the_bus())
        ready.set()
        self.loop.run_forever()
        self.loop.close()

    async def _get_on_the_bus(self) -> None:
        self.bus = await MessageBus(bus_address=self.address).connect()
        self.notifications = Notifications(self.shown, self.history)
        self.bus.export(PLACE, self.notifications)
        await self.bus.request_name(NAME)

    def wait(self, title: str, seconds: float = 15) -> dict[str, Any]:
        """The notification with this title, as soon as it is on the screen."""
        end = time.monotonic() + seconds
        while True:
            for notification in list(self.shown.values()):
                if notification["title"] == title:
                    return notification
            if time.monotonic() > end:
                raise TimeoutError(f"No notification {title!r}; on the screen: {list(self.shown.values())}")
            time.sleep(0.01)

    def click(self, notification: dict[str, Any], label: str = "") -> None:
        """Clicks the notification, or its button with this label."""
        actions = notification["actions"].items()
        action = next(key for key, text in actions if text == label) if label else "default"
        self.loop.call_soon_threadsafe(self.notifications.ActionInvoked, notification["id"], action)

    def dismiss(self, notification: dict[str, Any]) -> None:
        self.shown.pop(notification["id"], None)
        self.loop.call_soon_threadsafe(self.notifications.NotificationClosed, notification["id"], 2)

    def __exit__(self, *_error: object) -> None:
        self.loop.call_soon_threadsafe(self._leave)
        self.thread.join(10)
        self.daemon.terminate()
        self.daemon.wait(10)
        self.daemon.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _leave(self) -> None:
        self.bus.disconnect()
        self.loop.call_later(0.1, self.loop.stop)
