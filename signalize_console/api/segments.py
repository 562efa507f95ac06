"""Segments: what recipients have in common, made, counted and looked at."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.api import examples, schemas
from signalize_console.api.authentication import caller_of
from signalize_console.api.endpoint import Endpoint, asked, sent
from signalize_console.api.errors import Conflict, ErrorCode, Unprocessable
from signalize_console.api.paging import Page, page_of
from signalize_console.api.parsing import PlainText, Strict, milliseconds
from signalize_console.api.scopes import Scope
from signalize_console.audiences import counting
from signalize_console.audiences.fields import FIELDS
from signalize_console.audiences.models import Segment as SegmentModel
from signalize_console.audiences.signalize import NUMBER_OPERATORS, TEXT_OPERATORS, from_segment_filter
from signalize_console.audiences.tree import BadSegment, parse

FILTER_SCHEMA = {
    "type": "object",
    "properties": {
        "segments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "operator": {"type": "string", "enum": sorted({**TEXT_OPERATORS, **NUMBER_OPERATORS})},
                    "value": {"type": "string", "minLength": 1},
                },
                "required": ["name", "operator", "value"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["segments"],
    "additionalProperties": False,
    "description": "As Signalize writes it; all of several segments must hold. docs/segments.md.",
}
TREE_SCHEMA = {
    "type": "object",
    "description": "A tree of all, any and not over conditions: docs/segments.md.",
    "properties": {
        "all": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "any": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "not": {"type": "object"},
        "field": {"type": "string", "enum": sorted(FIELDS)},
        "op": {"type": "string"},
    },
    "minProperties": 1,
}


@extend_schema_field(FILTER_SCHEMA)
class SegmentFilter(serializers.Field):
    """Signalize's ``segmentFilter``; becomes a tree."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            return from_segment_filter(data)
        except BadSegment as error:
            raise _invalid(error) from error


@extend_schema_field(TREE_SCHEMA)
class Tree(serializers.Field):
    """A tree of conditions."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            parse(data)
        except BadSegment as error:
            raise _invalid(error) from error
        except RecursionError:
            raise serializers.ValidationError("This is nested too deeply.") from None
        return data


def _invalid(error: BadSegment) -> serializers.ValidationError:
    """The same problems, each at its path below the field."""
    problems: dict[str, list[str]] = {}
    for path, message in error.problems:
        problems.setdefault(path.removeprefix("$").removeprefix(".") or "non_field_errors", []).append(
            message
        )
    return serializers.ValidationError(problems, "invalid_segment")


class NewSegment(Strict):
    """The body of a segment."""

    name = PlainText(max_length=100)
    definition = Tree()


class Segments(Endpoint):
    """Segments of the website."""

    scopes = {"GET": Scope.READ_SEGMENTS, "POST": Scope.WRITE_SEGMENTS}

    @extend_schema(
        operation_id="listSegments",
        summary="List segments",
        parameters=[Page],
        responses={
            200: schemas.page("SegmentPage", schemas.Segment),
            **schemas.errors(400, 401, 403, 429, 503),
        },
        examples=[examples.page_of(examples.SEGMENT)],
    )
    def get(self, request: Request) -> Response:
        rows = SegmentModel.objects.filter(website=caller_of(request).website_id)
        page, cursor = page_of(rows, asked(Page, request))
        return Response({"items": [_shown(segment) for segment in page], "nextCursor": cursor})

    @extend_schema(
        operation_id="createSegment",
        summary="Make a segment",
        request=NewSegment,
        responses={201: schemas.Segment, **schemas.errors(400, 401, 403, 409, 413, 415, 429, 503)},
        examples=[examples.NEW_SEGMENT, examples.SEGMENT],
    )
    def post(self, request: Request) -> Response:
        data = sent(NewSegment, request)
        segment = SegmentModel(website_id=caller_of(request).website_id, **data)
        return Response(_shown(_saved(segment)), status=201)


class Segment(Endpoint):
    """One segment."""

    scopes = {
        "GET": Scope.READ_SEGMENTS,
        "PUT": Scope.WRITE_SEGMENTS,
        "DELETE": Scope.WRITE_SEGMENTS,
    }

    @extend_schema(
        operation_id="getSegment",
        summary="Read a segment",
        responses={200: schemas.Segment, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.SEGMENT],
    )
    def get(self, request: Request, segment_id: int) -> Response:
        return Response(_shown(segment_of(request, segment_id)))

    @extend_schema(
        operation_id="replaceSegment",
        summary="Replace a segment's definition",
        description="Messages that were accepted keep the definition that they were accepted with.",
        request=NewSegment,
        responses={200: schemas.Segment, **schemas.errors(400, 401, 403, 404, 409, 413, 415, 429, 503)},
        examples=[examples.NEW_SEGMENT, examples.SEGMENT],
    )
    def put(self, request: Request, segment_id: int) -> Response:
        data = sent(NewSegment, request)
        segment = segment_of(request, segment_id)
        segment.name, segment.definition = data["name"], data["definition"]
        segment.forget_count()
        return Response(_shown(_saved(segment)))

    @extend_schema(
        operation_id="deleteSegment",
        summary="Delete a segment",
        description="One that messages were sent to stays: 409.",
        responses={
            204: OpenApiResponse(description="It is gone."),
            **schemas.errors(401, 403, 404, 409, 429, 503),
        },
    )
    def delete(self, request: Request, segment_id: int) -> Response:
        try:
            segment_of(request, segment_id).delete()
        except ProtectedError as error:
            message = "Messages were sent to this segment. Their reports need it; rename it instead."
            raise Conflict(message, ErrorCode.STATE_CONFLICT) from error
        return Response(status=204)


class SegmentCount(Endpoint):
    """Whom a segment reaches now."""

    scopes = {"GET": Scope.READ_SEGMENTS}

    @extend_schema(
        operation_id="countSegment",
        summary="How many a segment reaches now, and some of them",
        responses={200: schemas.SegmentCount, **schemas.errors(401, 403, 404, 422, 429, 503)},
        examples=[examples.SEGMENT_COUNT],
    )
    def get(self, request: Request, segment_id: int) -> Response:
        segment, now = segment_of(request, segment_id), timezone.now()
        try:
            count, sample = segment.recount(now), segment.sample(now)
        except (counting.TooSlow, BadSegment) as error:
            raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error
        return Response(
            {
                "segmentId": segment.pk,
                "subscriptions": count,
                "countedAt": milliseconds(now),
                "sample": [
                    {"clientId": one.client_id, "customerId": one.customer_id or None} for one in sample
                ],
            }
        )


def segment_of(request: Request, segment_id: int) -> SegmentModel:
    """The website's own segment, or 404."""
    rows = SegmentModel.objects.select_related("website")
    return get_object_or_404(rows, pk=segment_id, website=caller_of(request).website_id)


def _saved(segment: SegmentModel) -> SegmentModel:
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        raise Conflict("Your website has a segment with this name.", ErrorCode.NAME_TAKEN) from error
    return segment


def _shown(segment: SegmentModel) -> dict[str, Any]:
    return {
        "segmentId": segment.pk,
        "name": segment.name,
        "definition": segment.definition,
        "createdAt": milliseconds(segment.created_at),
        "subscriptions": segment.count,
        "countedAt": milliseconds(segment.counted_at),
    }
