from django.apps import AppConfig


class WebsitesConfig(AppConfig):
    name = "signalize_console.websites"
    label = "websites"
