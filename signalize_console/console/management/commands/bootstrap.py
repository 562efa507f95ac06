"""``manage.py bootstrap``: what a first start needs. Safe to repeat: it adds only what is missing."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from signalize_console import environment
from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.browser.demo import NAME as DEMO_SHOP
from signalize_console.messaging.models import MessageTemplate, TemplateText
from signalize_console.websites.models import Website

CURL = """curl -s http://localhost:{port}/v3/subscriptions/pushmessages \\
  -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \\
  -d '{{"recipients": [{{"clientId": "RECIPIENT-ID-FROM-THE-DEMO-PAGE"}}],
       "webPush": {{"webPushMessageTexts": [{{"language": "en", "title": "Hello from curl",
                   "message": "It works.", "link": "http://localhost:{port}/demo/"}}]}}}}'"""


class Command(BaseCommand):
    help = "Makes an admin account, the demo website and an API key, if there are none yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="where the console answers on this computer"
        )

    def handle(self, *_args: Any, port: int, **_options: Any) -> None:
        self._make_account()
        website = self._make_website(port)
        if not ApiKey.objects.filter(website=website).exists():
            _key, text = ApiKey.issue(website, "Demo", EVERYTHING, by="bootstrap")
            self.stdout.write(
                f"Send by API (the key is shown only now):\n\n{CURL.format(port=port, key=text)}\n"
            )

    def _make_account(self) -> None:
        User = get_user_model()  # noqa: N806
        if not User.objects.exists():
            password = secrets.token_urlsafe(12)
            User.objects.create_superuser("admin", password=password)
            self.stdout.write(f"Log in as admin with the password {password} (shown only now)\n")

    def _make_website(self, port: int) -> Website:
        here = [f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
        website = Website.objects.filter(name=DEMO_SHOP).first()
        if website is None:
            contact = environment.text("SIGNALIZE_CONTACT", "mailto:push@example.com")
            website = Website.establish(name=DEMO_SHOP, origins=here, contact=contact)
            self._make_template(website, port)
        elif missing := [origin for origin in here if origin not in website.origins]:
            website.origins = [*website.origins, *missing]
            website.save(update_fields=["origins"])
        return website

    def _make_template(self, website: Website, port: int) -> None:
        template = MessageTemplate.objects.create(website=website, name="Dispatch notice", urgency="high")
        link = f"http://localhost:{port}/demo/"
        TemplateText.objects.bulk_create(
            [
                TemplateText(
                    template=template, language="en", standard=True, title="Your order is on its way",
                    message="It arrives tomorrow between 9 and 12.", link=link,
                ),
                TemplateText(
                    template=template, language="de", title="Deine Bestellung ist unterwegs",
                    message="Sie kommt morgen zwischen 9 und 12 Uhr.", link=link,
                ),
            ]
        )  # fmt: skip
