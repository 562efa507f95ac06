from django.apps import AppConfig


class RecipientsConfig(AppConfig):
    name = "signalize_console.recipients"
    label = "recipients"
