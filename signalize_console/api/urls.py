from django.urls import path, re_path, register_converter
from django.urls.converters import IntConverter
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularJSONAPIView

from signalize_console.api import (
    customers,
    daily,
    events,
    pushmessages,
    recipients,
    segments,
    sending,
    templates,
    webhooks,
    websites,
)
from signalize_console.api.errors import not_found


class Id(IntConverter):
    """An id as PostgreSQL holds it; a longer number is no address of ours."""

    regex = "[0-9]{1,18}"


class ClientId:
    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


class CustomerId(ClientId):
    """One with a slash or a null character has no address; ``GET /v3/recipients?customerId=…`` finds it."""

    regex = r"[^/\x00]{1,128}"


register_converter(Id, "id")
register_converter(ClientId, "client-id")
register_converter(CustomerId, "customer-id")

app_name = "api"
urlpatterns = [
    path("subscriptions/pushmessages", sending.SubscriptionPushMessages.as_view()),
    path("pushmessages", pushmessages.PushMessages.as_view()),
    path("pushmessages/<id:message_id>", pushmessages.OnePushMessage.as_view()),
    path("pushmessages/<id:message_id>/statistics", pushmessages.PushMessageStatistics.as_view()),
    path("pushmessages/<id:message_id>/deliveries", pushmessages.PushMessageDeliveries.as_view()),
    path("recipients", recipients.Recipients.as_view()),
    path("recipients/<client-id:client_id>", recipients.OneRecipient.as_view()),
    path("recipients/<client-id:client_id>/export", recipients.RecipientExport.as_view()),
    path("recipients/<client-id:client_id>/devices/<id:device_id>", recipients.RecipientDevice.as_view()),
    path("recipients/<client-id:client_id>/events", events.RecipientEvents.as_view()),
    path("customers/<customer-id:customer_id>", customers.Customer.as_view()),
    path("customers/<customer-id:customer_id>/export", customers.CustomerExport.as_view()),
    path("customers/<customer-id:customer_id>/events", events.CustomerEvents.as_view()),
    path("segments", segments.Segments.as_view()),
    path("segments/<id:segment_id>", segments.Segment.as_view()),
    path("segments/<id:segment_id>/count", segments.SegmentCount.as_view()),
    path("templates", templates.Templates.as_view()),
    path("templates/<id:template_id>", templates.Template.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<id:webhook_id>", webhooks.Webhook.as_view()),
    path("webhooks/<id:webhook_id>/secret", webhooks.WebhookSecret.as_view()),
    path("webhooks/<id:webhook_id>/deliveries", webhooks.WebhookDeliveries.as_view()),
    path(
        "webhooks/<id:webhook_id>/deliveries/<id:delivery_id>/redelivery",
        webhooks.WebhookRedelivery.as_view(),
    ),
    path("websites", websites.Websites.as_view()),
    path("websites/<id:website_id>", websites.OneWebsite.as_view()),
    path("statistics", daily.DailyStatistics.as_view()),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", TemplateView.as_view(template_name="api/docs.html"), name="docs"),
    path("redoc", TemplateView.as_view(template_name="api/redoc.html"), name="redoc"),
    re_path(r"", not_found),
]
