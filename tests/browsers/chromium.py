"""Chromium over its DevTools protocol."""

import base64
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.browsers.protocol import Browser, wrapped

SWITCHES = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--password-store=basic",
    "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-port=0",
]


class Chromium(Browser):
    name = "chromium"
    binary = "chromium"

    def __init__(self, desktop_address: str, switches: list[str]) -> None:
        self.switches = switches
        super().__init__(desktop_address)

    def start(self) -> None:
        preferences = self.profile / "Default" / "Preferences"
        if not preferences.exists():
            # A permission granted over the protocol is lost at a restart; this one isn't.
            preferences.parent.mkdir()
            content = {"profile": {"default_content_setting_values": {"notifications": 1}}}
            preferences.write_text(json.dumps(content))
        argv = [self.binary, *SWITCHES, f"--user-data-dir={self.profile}", *self.switches, "about:blank"]
        self.connect(self.spawn(argv, r"DevTools listening on (ws://\S+)"))
        targets = self.call("Target.getTargets", {})["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self.session = {"sessionId": attached["sessionId"]}
        self.call("Page.enable", {}, **self.session)

    def quit(self) -> None:
        self.call("Browser.close", {})

    def open(self, url: str) -> None:
        said = self.call("Page.navigate", {"url": url}, **self.session)
        if said.get("errorText"):
            raise RuntimeError(f"{url}: {said['errorText']}")
        end = time.monotonic() + 20
        while not self._is_at(url):
            if time.monotonic() > end:
                raise TimeoutError(url)
            time.sleep(0.01)

    def _is_at(self, url: str) -> bool:
        try:
            state, place = self.js("[document.readyState, location.href]")
        except RuntimeError:
            return False
        return state == "complete" and place.startswith(url.split("#", maxsplit=1)[0])

    def js(self, expression: str) -> Any:
        parameters = {"expression": wrapped(expression), "awaitPromise": True, "returnByValue": True}
        said = self.call("Runtime.evaluate", {**parameters, "userGesture": True}, **self.session)
        if "exceptionDetails" in said:
            details = said["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", str(details)))
        return json.loads(said["result"]["value"])

    def pages(self) -> list[str]:
        targets = self.call("Target.getTargets", {})["targetInfos"]
        return [one["url"] for one in targets if one["type"] == "page"]

    def click(self, selector: str) -> None:
        self.tap(f"document.querySelector({json.dumps(selector)})")

    def click_at(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", event, **self.session)

    def leave(self, seconds: float = 20) -> None:
        """Goes from a page that asks whether one really wants to, which it must: yes."""
        self.js("(setTimeout(() => location.assign('about:blank'), 100), 1)")
        end, asked = time.monotonic() + seconds, False
        while not asked or not self._is_at("about:blank"):
            if time.monotonic() > end:
                raise TimeoutError("It didn't ask." if not asked else "It didn't go.")
            if not asked:
                with suppress(RuntimeError):
                    self.call("Page.handleJavaScriptDialog", {"accept": True}, **self.session)
                    asked = True
            time.sleep(0.05)

    def permit(self, origin: str, state: str = "granted") -> None:
        permission = {"permission": {"name": "notifications"}, "setting": state, "origin": origin}
        self.call("Browser.setPermission", permission)

    def uncached(self) -> None:
        self.call("Network.enable", {}, **self.session)
        self.call("Network.setCacheDisabled", {"cacheDisabled": True}, **self.session)

    def press(self, key: str, code: int, modifiers: int = 0) -> None:
        """A key by its name and its Windows code. ``modifiers``: 8 is Shift."""
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", {"type": kind, **event}, **self.session)

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """The window's size in CSS pixels, and whether the visitor prefers dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", size, **self.session)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", {"features": [scheme]}, **self.session)

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        self.call("Page.bringToFront", {}, **self.session)
        taken = self.call(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole}, **self.session
        )
        path.write_bytes(base64.b64decode(taken["data"]))
