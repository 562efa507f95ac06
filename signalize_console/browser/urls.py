from django.urls import path

from signalize_console.browser import demo, reports, scripts, subscriptions

app_name = "browser"
urlpatterns = [
    path("code/signalize.js", scripts.snippet, name="snippet"),
    path("sw.js", scripts.service_worker, name="service-worker"),
    path("browser/reports", reports.report, name="report"),
    path("browser/<str:secure_code>/website", subscriptions.website, name="website"),
    path("browser/<str:secure_code>/subscriptions", subscriptions.subscriptions, name="subscriptions"),
    path("browser/<str:secure_code>/recipient", subscriptions.recipient, name="recipient"),
    path("browser/<str:secure_code>/events", reports.page_events, name="events"),
    path("browser/<str:secure_code>/unsubscribe", subscriptions.unsubscribe, name="unsubscribe"),
    path("demo/", demo.page, name="demo"),
    path("demo/push", demo.push, name="demo-push"),
    path("demo/messages/<str:token>", demo.status, name="demo-status"),
]
