from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "signalize_console.api"
    label = "api"
    verbose_name = "API"
