from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "signalize_console.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from signalize_console.api import openapi  # noqa: F401, PLC0415 - its extensions register themselves
