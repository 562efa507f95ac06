from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "signalize_console.messaging"
    label = "messaging"
