"""``manage.py createapikey WEBSITE NAME``: prints a new API key, the only time that it is shown."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signalize_console.api.models import ApiKey
from signalize_console.websites.models import Website


class Command(BaseCommand):
    help = "Makes an API key for a website and prints it. It can't be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("website", help="the website's secure code")
        parser.add_argument("name", help="which system will use it: shop, CRM, …")

    def handle(self, *_args: Any, website: str, name: str, **_options: Any) -> None:
        found = Website.objects.filter(secure_code=website).first()
        if found is None:
            codes = ", ".join(Website.objects.values_list("secure_code", flat=True)) or "none yet"
            raise CommandError(f"No website has the secure code {website!r}. There are: {codes}.")
        _key, text = ApiKey.issue(found, name)
        self.stdout.write(text)
