from django.urls import path, re_path

from signalize_console.browser import demo, media, opt_in, preferences, reports, scripts, subscriptions
from signalize_console.messaging.media import FILE_NAME

app_name = "browser"
urlpatterns = [
    path("code/signalize.js", scripts.snippet, name="snippet"),
    path("sw.js", scripts.service_worker, name="service-worker"),
    path("code/opt-in.js", scripts.snippet, {"name": "opt-in.js"}, name="opt-in-module"),
    path("code/preferences.js", scripts.snippet, {"name": "preferences.js"}, name="preferences-module"),
    path("browser/<str:secure_code>/opt-in", opt_in.opt_in, name="opt-in"),
    path("browser/<str:secure_code>/manifest.webmanifest", opt_in.manifest, name="manifest"),
    path("browser/<str:secure_code>/preferences", preferences.preferences, name="preferences"),
    path("browser/<str:secure_code>/preferences/test", preferences.test, name="preferences-test"),
    path("browser/<str:secure_code>/preferences/data", preferences.data, name="preferences-data"),
    path("browser/<str:secure_code>/preferences/erase", preferences.erase, name="preferences-erase"),
    path("browser/reports", reports.report, name="report"),
    path("browser/<str:secure_code>/website", subscriptions.website, name="website"),
    path("browser/<str:secure_code>/subscriptions", subscriptions.subscriptions, name="subscriptions"),
    path("browser/<str:secure_code>/recipient", subscriptions.recipient, name="recipient"),
    path("browser/<str:secure_code>/events", reports.page_events, name="events"),
    path("browser/<str:secure_code>/unsubscribe", subscriptions.unsubscribe, name="unsubscribe"),
    re_path(rf"^media/(?P<file_name>{FILE_NAME})$", media.media, name="media"),
    path("demo/", demo.page, name="demo"),
    path("demo/push", demo.push, name="demo-push"),
    path("demo/messages/<str:token>", demo.status, name="demo-status"),
]
