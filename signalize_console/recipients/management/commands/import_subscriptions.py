"""``manage.py import_subscriptions WEBSITE FILE``: moves subscriptions in, from any other system."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signalize_console.recipients import importing, receiving
from signalize_console.recipients.imports import Import, ImportState
from signalize_console.websites.models import Website

STEP_SECONDS = 1
SHOWN = 20
OVER = {ImportState.DISCARDED, ImportState.UNDOING, ImportState.UNDONE}


class Command(BaseCommand):
    help = (
        "Moves push subscriptions in from a CSV or JSON file of Signalize, OneSignal, Pushpad, "
        "django-push-notifications, web-push-php or this console. Every row is checked before the first one "
        "moves. Exits with 0: all moved; 1: some rows were refused; 2: the file can't be used. Interrupted, "
        "it goes on with --resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("website", nargs="?", help="the website's secure code")
        parser.add_argument("file", nargs="?", type=Path, help="the file; - reads what is piped in")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be refused")
        parser.add_argument(
            "--vapid-private-key",
            type=Path,
            metavar="FILE",
            help="holds the private VAPID key of the rows that name none (base64url or PEM)",
        )
        parser.add_argument("--resume", type=int, metavar="ID", help="go on with the import of this number")
        parser.add_argument("--refused", type=Path, metavar="FILE", help="write the refused rows here")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def handle(self, *_args: Any, resume: int | None, as_json: bool, **options: Any) -> None:
        of = self._import(resume, **options)
        try:
            self._follow(of)
        except KeyboardInterrupt:
            raise CommandError(
                f"Stopped. Go on with: import_subscriptions --resume {of.pk}", returncode=130
            ) from None
        of.refresh_from_db()
        if options["dry_run"]:
            importing.discard(of)
        if options["refused"]:
            with options["refused"].open("w", encoding="utf-8", newline="") as file:
                file.writelines(importing.report(of))
        self.stdout.write(json.dumps(facts(of)) if as_json else in_words(of))
        if of.state == ImportState.FAILED or of.refused:
            sys.exit(2 if of.state == ImportState.FAILED else 1)

    @staticmethod
    def _import(resume: int | None, **options: Any) -> Import:
        if resume is not None:
            of = Import.objects.filter(pk=resume).first()
            if of is None:
                raise CommandError(f"There is no import {resume}.", returncode=2)
            of.confirm()  # what was only checked moves in now
            if of.state in OVER:
                said = f"Import {resume} is {of.get_state_display()}: there is nothing to go on with."
                raise CommandError(said, returncode=2)
            return of
        if not options["website"] or not options["file"]:
            raise CommandError("Give the website's secure code and the file.", returncode=2)
        website = Website.objects.filter(secure_code=options["website"]).first()
        if website is None:
            raise CommandError(f"No website has the secure code {options['website']!r}.", returncode=2)
        return receive(website, options)

    def _follow(self, of: Import) -> None:
        shows = self.stderr.isatty()
        while of.is_at_work:
            of = importing.work_on(of.pk, seconds=STEP_SECONDS)
            if shows:
                self.stderr.write(of.bar, ending="")
        if shows:
            self.stderr.write("")


def receive(website: Website, options: dict[str, Any]) -> Import:
    private = options["vapid_private_key"]
    name = str(options["file"])
    try:
        key = private.read_text() if private else ""
        with sys.stdin.buffer if name == "-" else options["file"].open("rb") as file:
            return receiving.receive(
                website,
                options["file"].name,
                iter(lambda: file.read(receiving.PIECE), b""),
                by="import_subscriptions",
                vapid_private_key=key,
                at_once=not options["dry_run"],
            )
    except OSError as error:
        raise CommandError(f"The file can't be read: {error}", returncode=2) from error
    except ValueError as error:
        raise CommandError(str(error), returncode=2) from error


def facts(of: Import) -> dict[str, Any]:
    first = of.refusals.order_by("line", "id")[:SHOWN]
    return {
        "importId": of.pk,
        "state": of.state,
        "error": of.error,
        "rows": of.rows,
        "refused": of.refused,
        "subscriptionsMade": of.subscriptions_made,
        "recipientsMade": of.recipients_made,
        "firstRefused": [{"line": one.line, "field": one.field, "reason": one.reason} for one in first],
    }


def in_words(of: Import) -> str:
    if of.state == ImportState.FAILED:
        return f"Import {of.pk} failed, and nothing moved in. {of.error}"
    first = of.refusals.order_by("line", "id")[:SHOWN]
    lines = [f"Row {one.line}{f', {one.field}' if one.field else ''}: {one.reason}" for one in first]
    if of.refused > SHOWN:
        lines.append(f"… and {of.refused - SHOWN} more; --refused FILE writes all.")
    if of.state != ImportState.DONE:
        return "\n".join([*lines, f"{of.accepted} of {of.rows} rows can move in. Nothing has moved."])
    made = f"{of.subscriptions_made} subscriptions and {of.recipients_made} recipients moved in"
    return "\n".join([*lines, f"Import {of.pk}: {made}, {of.refused} rows refused."])
