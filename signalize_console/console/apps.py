from django.apps import AppConfig
from django.contrib.admin import apps


class ConsoleAdminConfig(apps.AdminConfig):
    """Django's admin with our site in place of its own."""

    default = False
    default_site = "signalize_console.console.site.ConsoleSite"


class ConsoleConfig(AppConfig):
    default = True
    name = "signalize_console.console"
    label = "console"

    def ready(self) -> None:
        from axes.signals import user_locked_out  # noqa: PLC0415
        from django.contrib.auth import signals  # noqa: PLC0415
        from django.db.models.signals import post_migrate  # noqa: PLC0415

        from signalize_console.console import logins, roles, system_checks  # noqa: PLC0415

        system_checks.establish()
        post_migrate.connect(roles.establish, sender=self)
        signals.user_logged_in.connect(logins.logged_in)
        signals.user_logged_out.connect(logins.logged_out)
        user_locked_out.connect(logins.locked_out)
