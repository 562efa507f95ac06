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
