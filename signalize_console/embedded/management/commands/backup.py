"""``manage.py backup DIRECTORY``: the database and the uploaded pictures, while everything runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from signalize_console.deliveries import backups, pooler
from signalize_console.embedded import backing_up


class Command(BaseCommand):
    help = (
        "Makes a directory with a dump of the database and the uploaded pictures, named for the time, below "
        "DIRECTORY; prints its name. It may run beside everything else. Secrets aren't in it: keep "
        "SIGNALIZE_KEY_ENCRYPTION_KEY apart from it, and erasures.log beside it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="where the backups are kept")

    def handle(self, *_args: Any, directory: Path, **_options: Any) -> None:
        pooler.go_past()
        try:
            self.stdout.write(str(backing_up.back_up(directory.absolute(), settings.HOME)))
        except backing_up.Failed as error:
            raise CommandError(str(error)) from error
        self._note()

    def _note(self) -> None:
        # The dump took its time; who knows whether a connection from before it still stands.
        connection.close()
        try:
            backups.note()
        except DatabaseError:
            self.stderr.write("That it was made can't be noted for /metrics here. Is this a read-only copy?")
