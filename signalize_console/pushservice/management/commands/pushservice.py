"""``manage.py pushservice``: the push service double, for trying things out without the internet."""

import json
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand

from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.pushservice.subscribers import Push


class Command(BaseCommand):
    help = "Runs a push service on this computer that judges like the real ones and relays to real browsers."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8443, help="where the console sends to")
        parser.add_argument(
            "--directory", type=Path, default=Path("var/pushservice"), help="for its certificates"
        )

    def handle(self, *_args: Any, port: int, directory: Path, **_options: Any) -> None:
        try:
            with PushServiceDouble(directory.absolute(), port, self._tell) as double:
                self._explain(double)
                threading.Event().wait()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def _say(self, text: str) -> None:
        """At once, also into a log."""
        self.stdout.write(text)
        self.stdout.flush()

    def _explain(self, double: PushServiceDouble) -> None:
        preferences = "\n".join(
            f"  user_pref({json.dumps(name)}, {json.dumps(value)});"
            for name, value in double.firefox_preferences.items()
        )
        self._say(
            "Start the console with\n"
            f"  SIGNALIZE_PUSH_SERVICES='{double.push_services}' \\\n"
            f"  SIGNALIZE_PUSH_SERVICES_CA='{double.ca_file}' make run\n\n"
            f"Firefox: a new profile with this in user.js\n{preferences}\n\n"
            "Chromium: a new --user-data-dir and\n  " + " \\\n  ".join(double.chromium_switches) + "\n"
        )

    def _tell(self, endpoint: str, status: int, push: Push | None) -> None:
        host = urlsplit(endpoint).hostname
        self._say(f"{host}: {status}, {len(push.body) if push else 0} bytes{_title(push)}")


def _title(push: Push | None) -> str:
    if push is None or not push.plaintext:
        return ""
    try:
        return f", {json.loads(push.plaintext)['notification']['title']!r}"
    except (ValueError, KeyError, TypeError):
        return ""
