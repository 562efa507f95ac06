from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "signalize_console.activity"
    label = "activity"
