from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    name = "signalize_console.embedded"
    label = "embedded"
