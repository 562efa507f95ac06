"""``manage.py verify_ledger``: whether all that must hold in the database does, also while it works."""

import datetime
import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from signalize_console.deliveries import invariants, ledger_checks


class Command(BaseCommand):
    help = (
        "Checks the invariants of push messages and deliveries in one snapshot of the database. Prints a "
        "line for each violation and exits with 1, or one summary line and exits with 0; 2: it can't look. "
        "It may run beside the engine, and writes nothing but how many it found, for /metrics."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
        parser.add_argument(
            "--since",
            type=day_before,
            default=datetime.date.min,
            metavar="DAYS",
            help="look only at push messages accepted in the last DAYS days, not at all of them",
        )

    def handle(self, *_args: Any, as_json: bool, since: datetime.date, **_options: Any) -> None:
        try:
            found = list(invariants.violations(since, self._shown()))
        except DatabaseError as error:
            raise CommandError(f"The database can't be checked: {error}", returncode=2) from error
        self.stdout.write(in_json(found) if as_json else in_words(found))
        self._note(len(found))
        if found:
            sys.exit(1)

    def _note(self, count: int) -> None:
        try:
            ledger_checks.note(count)
        except DatabaseError:
            self.stderr.write("The number can't be noted for /metrics here. Is this a read-only copy?")

    def _shown(self) -> Iterator[invariants.Check]:
        """The checks, each told on a terminal when its turn comes."""
        shows = self.stderr.isatty()
        for number, check in enumerate(invariants.CHECKS, 1):
            if shows:
                self.stderr.write(f"\r{number} of {len(invariants.CHECKS)}: {check.name:40} ", ending="")
            yield check
        if shows:
            self.stderr.write("")


def day_before(days: str) -> datetime.date:
    """The day so many days ago, in UTC as the partitions are."""
    if not days.isdigit() or len(days) > 5:
        raise ArgumentTypeError("give a number of days, such as 7")
    return timezone.now().astimezone(datetime.UTC).date() - datetime.timedelta(days=int(days))


def in_words(found: list[invariants.Violation]) -> str:
    if not found:
        return f"All {len(invariants.CHECKS)} invariants hold."
    return "\n".join(f"{violation.check.name}: {violation}" for violation in found)


def in_json(found: list[invariants.Violation]) -> str:
    violations = [{"check": one.check.name, "text": str(one), "facts": one.facts} for one in found]
    return json.dumps({"checks": len(invariants.CHECKS), "violations": violations}, default=str)
