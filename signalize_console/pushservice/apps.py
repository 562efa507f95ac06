from django.apps import AppConfig


class PushserviceConfig(AppConfig):
    name = "signalize_console.pushservice"
    label = "pushservice"
