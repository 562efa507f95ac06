"""``manage.py createapikey WEBSITE NAME``: prints a new API key, the only time that it is shown."""

import datetime
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING, SENDING, Scope
from signalize_console.websites.models import Website


class Command(BaseCommand):
    help = "Makes an API key for a website and prints it. It can't be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("website", help="the website's secure code")
        parser.add_argument("name", help="which system will use it: shop, CRM, …")
        parser.add_argument(
            "--scope",
            action="append",
            choices=[*Scope.values, "all"],
            help="what it may do, once for each; else messages:read and messages:write",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
        parser.add_argument("--days", type=int, help="how long it works; else until it is revoked")

    def handle(
        self,
        *_args: Any,
        website: str,
        name: str,
        scope: list[str] | None,
        days: int | None,
        as_json: bool,
        **_options: Any,
    ) -> None:
        found = Website.objects.filter(secure_code=website).first()
        if found is None:
            codes = ", ".join(Website.objects.values_list("secure_code", flat=True)) or "none yet"
            raise CommandError(
                f"No website has the secure code {website!r}. There are: {codes}.", returncode=2
            )
        scopes = EVERYTHING if scope and "all" in scope else scope or SENDING
        expires_at = timezone.now() + datetime.timedelta(days=days) if days else None
        key, text = ApiKey.issue(found, name, scopes, by="createapikey", expires_at=expires_at)
        said = {"key": text, "keyId": key.pk, "scopes": key.scopes, "expiresAt": expires_at}
        self.stdout.write(json.dumps(said, default=str) if as_json else text)
