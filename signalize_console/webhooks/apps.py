from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "signalize_console.webhooks"
    label = "webhooks"
