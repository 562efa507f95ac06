"""``manage.py replay_erasures``: erases again whom the restore of a backup has brought back."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signalize_console.deliveries import erasing, erasure_log
from signalize_console.deliveries.erasure_log import Unreadable


class Command(BaseCommand):
    help = (
        "Erases again who was erased since the backup that was restored, as the records of erasures say. It "
        "may be repeated. Give the file of each machine that erased; without one, it reads this machine's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, help="records of erasures (erasures.log)")

    def handle(self, *_args: Any, files: list[Path], **_options: Any) -> None:
        files = files or [erasure_log.path()]
        try:
            counts = [erasing.replay(erasure_log.read(file)) for file in files]
        except (OSError, Unreadable) as error:
            raise CommandError(f"Not all erasures were replayed: {error}") from error
        self.stdout.write(f"{sum(counts)} recipients were erased again.")
