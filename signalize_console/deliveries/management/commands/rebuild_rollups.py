"""``manage.py rebuild_rollups``: counts anew what reports read."""

from typing import Any

from django.core.management.base import BaseCommand

from signalize_console.deliveries import pooler, rolling_up


class Command(BaseCommand):
    help = (
        "Counts all deliveries and events anew for the reports: after the restore of a dump, or when other "
        "events count as conversions. It may run beside everything else; reports keep their old numbers "
        "until it is done. What was erased since does not count any more."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        pooler.go_past()
        rolling_up.rebuild()
        rolling_up.count_subscribers()
        self.stdout.write("Counted everything anew.")
