from django.apps import AppConfig


class DeliveriesConfig(AppConfig):
    name = "signalize_console.deliveries"
    label = "deliveries"
