"""``manage.py undo_import ID``: removes what an import made, as far as nobody has touched it since."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signalize_console.deliveries import undoing
from signalize_console.recipients.imports import Import, ImportState


class Command(BaseCommand):
    help = (
        "Removes the subscriptions and recipients that an import made. Whoever has come back, left, or was "
        "sent something since stays. Interrupted, it goes on when it is called again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("import_id", type=int, help="its number, as the import has printed it")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def handle(self, *_args: Any, import_id: int, as_json: bool, **_options: Any) -> None:
        of = Import.objects.filter(pk=import_id).first()
        if of is None or not (of.state == ImportState.UNDOING or of.undo()):
            raise CommandError(f"There is no finished import {import_id}.", returncode=2)
        shows = self.stderr.isatty()
        while of.state == ImportState.UNDOING:
            of = undoing.work_on(of.pk, seconds=1)
            if shows:
                self.stderr.write(of.bar, ending="")
        if shows:
            self.stderr.write("")
        kept = of.subscriptions_made - of.removed
        said = {"importId": of.pk, "removed": of.removed, "kept": kept}
        words = f"{of.removed} subscriptions were removed; {kept} stay, for they were used since."
        self.stdout.write(json.dumps(said) if as_json else words)
