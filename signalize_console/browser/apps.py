from django.apps import AppConfig


class BrowserConfig(AppConfig):
    name = "signalize_console.browser"
    label = "browser"
