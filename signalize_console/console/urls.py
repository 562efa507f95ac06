from django.urls import path
from django.views.generic import RedirectView

from signalize_console.console.health import health

app_name = "console"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="root"),
    path("health", health, name="health"),
]
