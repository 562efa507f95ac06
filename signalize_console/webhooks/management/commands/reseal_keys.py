"""``manage.py reseal_keys``: seals every secret in the database under the newest key-encryption key."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from signalize_console.webhooks import resealing


class Command(BaseCommand):
    help = (
        "Seals all VAPID keys, identity secrets and webhook secrets under the first of the keys that "
        "SIGNALIZE_KEY_ENCRYPTION_KEY names (the new one and then the old one, separated by a space). It may "
        "run beside everything else, and again; when it says so, the old key is not needed any more. 1: a "
        "secret opens with none of the keys."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            sealed, before = resealing.reseal_all()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{sealed} secrets were sealed anew, {before} were under the newest key already. The database "
            "needs no other key any more; its backups from before still need theirs."
        )
