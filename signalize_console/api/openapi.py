"""What the OpenAPI document says beyond what drf-spectacular finds by itself."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.extensions import OpenApiSerializerFieldExtension

from signalize_console.api.content import LinkField, TextLinkField
from signalize_console.api.parsing import ANY_TEXT, SOME_TEXT, PlainText, Strict

# From the answer of one operation to the parameters of others.
LINKS = {
    "sendToRecipients": ("201", "messageId", "message_id", "PushMessage"),
    "sendToAudience": ("201", "messageId", "message_id", "PushMessage"),
    "createTemplate": ("201", "templateId", "template_id", "Template"),
    "createWebhook": ("201", "webhookId", "webhook_id", "Webhook"),
    "createSegment": ("201", "segmentId", "segment_id", "Segment"),
}
TARGETS = {
    "PushMessage": ["getPushMessage", "changePushMessage", "getPushMessageStatistics", "listDeliveries"],
    "Template": ["getTemplate", "replaceTemplate", "deleteTemplate"],
    "Webhook": ["getWebhook", "changeWebhook", "listWebhookDeliveries", "deleteWebhook"],
    "Segment": ["getSegment", "replaceSegment", "countSegment", "deleteSegment"],
}
# What a serializer can't say of itself.
CONTENT_OR_TEMPLATE = {"oneOf": [{"required": ["webPush"]}, {"required": ["templateId"]}]}
CONSTRAINTS: dict[str, dict[str, Any]] = {
    "Change": {"minProperties": 1, "maxProperties": 1},
    "NewMessage": CONTENT_OR_TEMPLATE,
    "NewRecipientsMessage": CONTENT_OR_TEMPLATE,
}
# On every answer.
HEADERS = {
    "X-Request-Id": "Names this request in the log. One that the caller sends is kept.",
    "RateLimit-Limit": "How many requests the key may make in a minute.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "In how many seconds the minute ends.",
}


class PlainTextSchema(OpenApiSerializerFieldExtension):
    """What is blank is missing, and PostgreSQL holds no null characters."""

    target_class = PlainText
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        patterns = [
            getattr(one.regex, "pattern", "")
            for one in self.target.validators
            if isinstance(one, RegexValidator)
        ]
        usual = ANY_TEXT if self.target.allow_blank else SOME_TEXT
        schema["pattern"] = patterns[0] if patterns else usual
        schema["minLength"] = 0 if self.target.allow_blank else 1
        return schema


class LinkSchema(OpenApiSerializerFieldExtension):
    """https, or http on this computer; up to 2,000 characters."""

    target_class = LinkField
    match_subclasses = True
    priority = 1

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        kind = "text-link" if isinstance(self.target, TextLinkField) else "link"
        return {"type": "string", "format": kind}


def complete(result: dict[str, Any], **_facts: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    components = result["components"]["schemas"]
    for name in _names(Strict):
        if name in components:
            components[name] |= {"additionalProperties": False, **CONSTRAINTS.get(name, {})}
            for field, schema in components[name].get("properties", {}).items():
                # An empty text fits both of drf-spectacular's alternatives, and so neither alone.
                if {"type": "string", "maxLength": 0} in schema.get("oneOf", []):
                    components[name]["properties"][field] = schema["oneOf"][0]
    for path in result["paths"].values():
        for operation in path.values():
            _link(operation)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            for response in operation["responses"].values():
                response["headers"] = {
                    name: {"description": text, "schema": {"type": "string"}}
                    for name, text in HEADERS.items()
                }
    return result


def _link(operation: dict[str, Any]) -> None:
    if (link := LINKS.get(operation["operationId"])) is None:
        return
    status, member, parameter, target = link
    operation["responses"][status]["links"] = {
        name: {"operationId": name, "parameters": {parameter: f"$response.body#/{member}"}}
        for name in TARGETS[target]
    }


def _names(serializer: type[Any]) -> set[str]:
    below = serializer.__subclasses__()
    return {one.__name__ for one in below}.union(*map(_names, below))
