"""``manage.py export WEBSITE KIND``: everything of a website as CSV or JSON lines."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from signalize_console.messaging import exporting
from signalize_console.websites.models import Website

TOLD_EVERY = 10_000


class Command(BaseCommand):
    help = (
        "Writes everything of one kind that a website has. The subscriptions come with their secrets and the "
        "private VAPID keys: keep that file as safe as a password. Exits with 2 where it can't be done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("website", help="the website's secure code")
        parser.add_argument("kind", choices=exporting.KINDS)
        parser.add_argument("--output", type=Path, metavar="FILE", help="else it is printed")
        parser.add_argument("--json", action="store_true", dest="as_json", help="JSON lines, not CSV")

    def handle(
        self, *_args: Any, website: str, kind: str, output: Path | None, as_json: bool, **_options: Any
    ) -> None:
        found = Website.objects.filter(secure_code=website).first()
        if found is None:
            raise CommandError(f"No website has the secure code {website!r}.", returncode=2)
        lines = exporting.lines(found, kind, "jsonl" if as_json else "csv")
        try:
            if output is None:
                self._write(lines, self.stdout)
            else:
                with output.open("w", encoding="utf-8", newline="") as file:
                    self._write(lines, file)
        except OSError as error:
            raise CommandError(f"It can't be written: {error}", returncode=2) from error

    def _write(self, lines: Any, file: TextIO | Any) -> None:
        shows = self.stderr.isatty()
        for number, line in enumerate(lines, 1):
            if file is self.stdout:
                file.write(line, ending="")
            else:
                file.write(line)
            if shows and number % TOLD_EVERY == 0:
                self.stderr.write(f"\r{number} lines ", ending="")
                sys.stderr.flush()
        if shows:
            self.stderr.write("")
