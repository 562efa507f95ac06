"""``manage.py migrate``: Django's, beside a console that runs."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections

from signalize_console.deliveries import pooler
from signalize_console.embedded import migrating

GIVES_UP = (
    "Others hold what a migration needs, also at try {tries}: it waited for {holders}. What was applied is "
    "complete, the rest is not begun, and the console runs on. When that has ended (or you have ended it: "
    "SELECT pg_terminate_backend(…)), run manage.py migrate again."
)


class Command(migrate.Command):
    help = (
        f"{migrate.Command.help} Beside a console that runs: it waits for no lock longer than "
        f"{migrating.LOCK_SECONDS:.0f} s, because others wait behind it, and tries again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--tries", type=int, default=20, help="how often it tries, where others hold a table"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        pooler.go_past(options["database"])
        connection = connections[options["database"]]
        with (
            migrating.alone(connection, self._say),
            migrating.in_nobodys_way(connection),
            migrating.Watch(connection, self._say) as watch,
        ):
            for tries in range(1, options["tries"] + 1):
                try:
                    super().handle(*args, **options)
                    return
                except OperationalError as error:
                    if not migrating.gave_way(error):
                        raise
                    if tries == options["tries"]:
                        holders = watch.holders or "a moment"
                        raise CommandError(GIVES_UP.format(tries=tries, holders=holders)) from error
                pause = migrating.pause(tries)
                self._say(f"It gave way to them. Try {tries + 1} of {options['tries']} is in {pause:.0f} s.")
                time.sleep(pause)

    def _say(self, what: str) -> None:
        self.stderr.write(what)
