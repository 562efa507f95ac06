from django.apps import AppConfig


class AutomationsConfig(AppConfig):
    name = "signalize_console.automations"
    label = "automations"
