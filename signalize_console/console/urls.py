from django.urls import path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from signalize_console.console.health import health, live, ready
from signalize_console.console.metrics import metrics

app_name = "console"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="root"),
    path("health", health, name="health"),
    path("language", set_language, name="language"),
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
]
