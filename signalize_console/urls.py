"""Every address of the console. One file per face says what lies below it."""

from django.urls import include, path

from signalize_console.console.site import site

urlpatterns = [
    path("", include("signalize_console.browser.urls")),
    path("v3/", include("signalize_console.api.urls")),
    path("admin/", site.urls),
    path("", include("signalize_console.console.urls")),
]
