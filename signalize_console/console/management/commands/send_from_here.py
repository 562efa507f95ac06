"""``manage.py send_from_here``: lets a restored or copied database send."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand

from signalize_console.console.send_from_here import send_from_here


class Command(BaseCommand):
    help = (
        "Says that this is the one installation that sends from now on, after its database was restored, "
        "copied or promoted. First make sure that the other one is switched off for good. Transactional "
        "messages then go out; marketing that was under way or due waits for a person, who resumes, "
        "releases or cancels it."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        if send_from_here(f"manage.py send_from_here: {_account()}"):
            self.stdout.write("Messages are sent from here now. Look at what is paused or held.")
        else:
            self.stdout.write("Messages were sent from here already; nothing has changed.")


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
