from django.apps import AppConfig


class AudiencesConfig(AppConfig):
    name = "signalize_console.audiences"
    label = "audiences"
