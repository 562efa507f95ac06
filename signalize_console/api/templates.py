"""Templates: contents to send again and again, with variables whose types and examples are promised."""

from typing import Any

from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.api import examples, schemas
from signalize_console.api.authentication import Caller, caller_of
from signalize_console.api.content import WebPush, finish_links
from signalize_console.api.endpoint import Endpoint, asked, sent
from signalize_console.api.errors import Conflict, ErrorCode
from signalize_console.api.paging import Page, page_of
from signalize_console.api.parsing import Choice, Flag, PlainText, Scalar, Strict, milliseconds
from signalize_console.api.scopes import Scope
from signalize_console.messaging.content import Content
from signalize_console.messaging.models import MessageTemplate, PushMessage, PushMessageText, TemplateText
from signalize_console.messaging.placeholders import NAME
from signalize_console.messaging.variables import VariableType, fits
from signalize_console.websites.models import Website


class VariableDoor(Strict):
    """One variable: what a placeholder means."""

    name = serializers.RegexField(f"^{NAME}$", error_messages={"invalid": "Up to 64 letters, digits and _."})
    type = Choice(choices=VariableType.values, default=VariableType.TEXT)
    example = Scalar()
    required = Flag(default=True)  # type: ignore[assignment]
    description = PlainText(max_length=200, allow_blank=True, default="")

    def validate(self, data: dict[str, Any]) -> Any:
        if not fits(data["type"], data["example"]):
            raise serializers.ValidationError({"example": [f"Give a {data['type']}."]})
        return data


class NewTemplate(Strict):
    """The body of a template."""

    name = PlainText(max_length=100)
    webPush = WebPush()  # noqa: N815
    variables = serializers.ListField(child=VariableDoor(), max_length=50, default=list)

    def validate_variables(self, variables: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({variable["name"] for variable in variables}) < len(variables):
            raise serializers.ValidationError("Each variable may stand here once.")
        return variables


class Templates(Endpoint):
    """Templates of the website."""

    scopes = {"GET": Scope.READ_TEMPLATES, "POST": Scope.WRITE_TEMPLATES}

    @extend_schema(
        operation_id="listTemplates",
        summary="List templates",
        parameters=[Page],
        responses={
            200: schemas.page("TemplatePage", schemas.Template),
            **schemas.errors(400, 401, 403, 429, 503),
        },
        examples=[examples.page_of(examples.TEMPLATE)],
    )
    def get(self, request: Request) -> Response:
        rows = MessageTemplate.objects.filter(website=caller_of(request).website_id).prefetch_related("texts")
        templates, cursor = page_of(rows, asked(Page, request))
        return Response({"items": [shown(template) for template in templates], "nextCursor": cursor})

    @extend_schema(
        operation_id="createTemplate",
        summary="Make a template",
        request=NewTemplate,
        responses={
            201: schemas.Template,
            **schemas.errors(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
        examples=[examples.NEW_TEMPLATE, examples.TEMPLATE],
    )
    def post(self, request: Request) -> Response:
        data = sent(NewTemplate, request)
        message, texts, utm = data["webPush"]
        template = make(caller_of(request), data["name"], (message, texts, utm), data["variables"])
        return Response(shown(template), status=201)


class Template(Endpoint):
    """One template."""

    scopes = {
        "GET": Scope.READ_TEMPLATES,
        "PUT": Scope.WRITE_TEMPLATES,
        "DELETE": Scope.WRITE_TEMPLATES,
    }

    @extend_schema(
        operation_id="getTemplate",
        summary="Read a template",
        responses={200: schemas.Template, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.TEMPLATE],
    )
    def get(self, request: Request, template_id: int) -> Response:
        return Response(shown(self._template(request, template_id)))

    @extend_schema(
        operation_id="replaceTemplate",
        summary="Replace a template's content",
        description="Messages that were sent with it keep what they said.",
        request=NewTemplate,
        responses={
            200: schemas.Template,
            **schemas.errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
        examples=[examples.NEW_TEMPLATE, examples.TEMPLATE],
    )
    def put(self, request: Request, template_id: int) -> Response:
        data = sent(NewTemplate, request)
        with transaction.atomic():
            template = self._template(request, template_id, lock=True)
            template.texts.all().delete()
            _fill(template, data["name"], data["webPush"], data["variables"])
        return Response(shown(template))

    @extend_schema(
        operation_id="deleteTemplate",
        summary="Delete a template",
        responses={
            204: OpenApiResponse(description="It is gone."),
            **schemas.errors(401, 403, 404, 429, 503),
        },
    )
    def delete(self, request: Request, template_id: int) -> Response:
        self._template(request, template_id).delete()
        return Response(status=204)

    @staticmethod
    def _template(request: Request, template_id: int, *, lock: bool = False) -> MessageTemplate:
        rows = MessageTemplate.objects.select_for_update() if lock else MessageTemplate.objects.all()
        return get_object_or_404(rows, pk=template_id, website=caller_of(request).website_id)


WebPushParts = tuple[PushMessage, list[PushMessageText], dict[str, str]]


def make(
    caller: Caller, name: str, content: WebPushParts, variables: list[dict[str, Any]]
) -> MessageTemplate:
    """A new template; raises Conflict where the name is taken."""
    return _fill(MessageTemplate(website_id=caller.website_id), name, content, variables)


def _fill(
    template: MessageTemplate, name: str, content: WebPushParts, variables: list[dict[str, Any]]
) -> MessageTemplate:
    message, texts, utm = content
    home = Website.objects.values_list("origins", flat=True).get(pk=template.website_id)[0]
    finish_links(texts, f"{home}/", utm)
    for field in Content._meta.get_fields():
        setattr(template, field.name, getattr(message, field.name))
    template.name, template.variables = name, variables
    fields = [field.name for field in TemplateText._meta.get_fields() if field.name not in {"id", "template"}]
    try:
        with transaction.atomic():
            template.save()
            TemplateText.objects.bulk_create(
                TemplateText(template=template, **{field: getattr(text, field) for field in fields})
                for text in texts
            )
    except IntegrityError as error:
        raise Conflict("Your website has a template with this name.", ErrorCode.NAME_TAKEN) from error
    return template


def shown(template: MessageTemplate) -> dict[str, Any]:
    return {
        "templateId": template.pk,
        "name": template.name,
        "createdAt": milliseconds(template.created_at),
        "variables": template.variables,
        "webPush": {
            "webPushMessageTexts": [schemas.shown_text(text) for text in template.texts.all()],
            **schemas.shown_content(template),
        },
    }
