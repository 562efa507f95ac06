"""Firefox over WebDriver BiDi, its own remote protocol."""

import json
from typing import Any

from tests.browsers.protocol import Browser, wrapped

QUIET = {
    "remote.prefs.recommended": False,
    "alerts.useSystemBackend": True,
    "app.normandy.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en-US, en",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "termsofuse.bypassNotification": True,
}


class Firefox(Browser):
    name = "firefox"
    binary = "firefox-esr"

    def __init__(self, desktop_address: str, preferences: dict[str, object]) -> None:
        self.preferences = {**QUIET, **preferences}
        super().__init__(desktop_address)

    def start(self) -> None:
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in self.preferences.items()
        )
        (self.profile / "user.js").write_text("".join(lines))
        argv = [self.binary, "--headless", "--no-remote", "--profile", str(self.profile)]
        url = self.spawn([*argv, "--remote-debugging-port=0"], r"WebDriver BiDi listening on (ws://\S+)")
        self.connect(f"{url}/session")
        self.call("session.new", {"capabilities": {}})
        self.page = self.call("browsingContext.getTree", {})["contexts"][0]["context"]

    def quit(self) -> None:
        self.call("browser.close", {})

    def open(self, url: str) -> None:
        self.call("browsingContext.navigate", {"context": self.page, "url": url, "wait": "complete"})

    def js(self, expression: str) -> Any:
        target = {"context": self.page}
        said = self.call(
            "script.evaluate", {"expression": wrapped(expression), "target": target, "awaitPromise": True}
        )
        if said["type"] == "exception":
            raise RuntimeError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    def pages(self) -> list[str]:
        return [one["url"] for one in self.call("browsingContext.getTree", {})["contexts"]]

    def click(self, selector: str) -> None:
        self.tap(f"document.querySelector({json.dumps(selector)})")

    def click_at(self, x: float, y: float) -> None:
        mouse = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        source = {"type": "pointer", "id": "mouse", "actions": mouse}
        self.call("input.performActions", {"context": self.page, "actions": [source]})

    def uncached(self) -> None:
        self.call("network.setCacheBehavior", {"cacheBehavior": "bypass"})

    def permit(self, origin: str, state: str = "granted") -> None:
        descriptor = {"name": "notifications"}
        self.call("permissions.setPermission", {"descriptor": descriptor, "state": state, "origin": origin})
