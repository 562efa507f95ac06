"""``manage.py restore BACKUP``: a backup into an empty database, as far as it can go without a person."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from signalize_console.deliveries import erasure_log, installation, pooler
from signalize_console.embedded import backing_up

NO_ERASURES = (
    "There is no record of erasures at {}. If recipients were erased since the backup, they are back: bring "
    "the file from where they were erased, and run manage.py replay_erasures FILE before anything is sent."
)


class Command(BaseCommand):
    help = (
        "Restores a directory that manage.py backup has made into the empty database of DATABASE_URL: "
        "tables, pictures, the migrations of this version, who was erased since, and the numbers of the "
        "reports. Nothing is sent from there until manage.py send_from_here."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", type=Path, help="the directory of the backup")
        parser.add_argument("--erasures", nargs="*", type=Path, metavar="FILE", help="records of erasures")

    def handle(self, *_args: Any, backup: Path, erasures: list[Path] | None, **_options: Any) -> None:
        for missing in (file for file in erasures or [] if not file.is_file()):
            raise CommandError(f"There is no {missing}. Leave it out where nobody was erased.")
        pooler.go_past()
        try:
            backing_up.bring_back(backup.absolute(), settings.HOME)
        except backing_up.Failed as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The database and the pictures are back.")
        call_command("migrate", "--no-input", verbosity=0)
        if erasures or erasure_log.path().exists():
            call_command("replay_erasures", *(erasures or []), stdout=self.stdout)
        else:
            self.stdout.write(NO_ERASURES.format(erasure_log.path()))
        call_command("rebuild_rollups", stdout=self.stdout)
        if installation.is_elsewhere():
            self.stdout.write(installation.ELSEWHERE)
