"""Sending to an audience: everyone who opted in, or a part of them."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from signalize_console.api import templates
from signalize_console.api.authentication import Caller
from signalize_console.api.composing import LARGEST_ID, Composed, Outgoing
from signalize_console.api.errors import ErrorCode, FieldError, Unprocessable
from signalize_console.api.parsing import Choice, Flag, PlainText, Whole
from signalize_console.api.segments import SegmentFilter, Tree
from signalize_console.api.sending import rendered
from signalize_console.audiences import counting
from signalize_console.audiences.models import Segment
from signalize_console.deliveries import outbox
from signalize_console.messaging.models import LONGEST_REST, MOST_EXCLUDED
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website

EXPIRED = "validUntil lies in the past: the message is stored, and nobody gets it."


class NewMessage(Outgoing):
    """The body of ``POST /v3/pushmessages``."""

    segmentFilter = SegmentFilter(required=False)  # noqa: N815
    segment = Tree(required=False)
    segmentId = Whole(min_value=1, max_value=LARGEST_ID, required=False)  # noqa: N815
    excludedSegmentIds = serializers.ListField(  # noqa: N815
        child=Whole(min_value=1, max_value=LARGEST_ID),
        max_length=MOST_EXCLUDED,
        required=False,
        help_text="Nobody who is in one of these segments.",
    )
    excludeRecentHours = Whole(  # noqa: N815
        min_value=1,
        max_value=LONGEST_REST,
        required=False,
        help_text="Nobody who got a message in so many hours before.",
    )
    status = Choice(choices=["TEMPLATE", "ACTIVE"], default="ACTIVE")
    transactional = Flag(default=False)
    name = PlainText(max_length=100, required=False, help_text="Of a template; else its title.")
    variables = serializers.ListField(child=templates.VariableDoor(), max_length=50, required=False)

    def validate(self, data: dict[str, Any]) -> Any:
        if sum(name in data for name in ("segmentFilter", "segment", "segmentId")) > 1:
            raise serializers.ValidationError("Give one of segmentFilter, segment and segmentId.")
        if data["status"] == "TEMPLATE" and "webPush" not in data:
            raise serializers.ValidationError({"webPush": ["A template needs this field."]})
        if data["status"] == "ACTIVE" and ("name" in data or "variables" in data):
            raise serializers.ValidationError("name and variables belong to the status TEMPLATE.")
        return super().validate(data)


class ToAudience:
    """One call that sends to an audience, or stores a template."""

    def __init__(self, caller: Caller, data: dict[str, Any]) -> None:
        self.caller, self.data = caller, data

    def act(self) -> dict[str, Any]:
        if self.data["status"] == "TEMPLATE":
            return self._store_template()
        composed = Composed(self.caller, self.data)
        composed.message.transactional = self.data["transactional"]
        composed.check_fit({"data": composed.message.data})
        valid_until = self.data.get("validUntil")
        warnings = [EXPIRED] if valid_until and valid_until <= timezone.now() else []
        composed.message.rest_hours = self.data.get("excludeRecentHours")
        segment, excluded = self._segment(), self._excluded()
        accepted = outbox.send(
            composed.message,
            composed.texts,
            segment=segment,
            excluded=excluded,
            even_if_expired=bool(warnings),
        )
        said: dict[str, Any] = {"warnings": warnings} if warnings else {}
        if self.data["dryRun"]:
            tree = segment.definition if isinstance(segment, Segment) else segment
            reached = self._count(composed.message.chosen(tree, excluded))
            return {
                "said": {"dryRun": True, **said, "deliveries": reached, "rendered": rendered(composed, None)}
            }
        return {"message_id": accepted.message_id, "said": {"messageId": accepted.message_id, **said}}

    def _store_template(self) -> dict[str, Any]:
        message, texts, utm = self.data["webPush"]
        title = next(text.title for text in texts if text.standard)[:100]
        template = templates.make(
            self.caller, self.data.get("name", title), (message, texts, utm), self.data.get("variables", [])
        )
        if self.data["dryRun"]:
            return {"said": {"dryRun": True, "deliveries": 0, "rendered": []}}
        return {"said": {"messageId": template.pk, "templateId": template.pk}}

    def _segment(self) -> Segment | dict[str, Any] | None:
        """Of those who opted in, only these; None: everyone."""
        if "segmentId" in self.data:
            known = Segment.objects.filter(pk=self.data["segmentId"], website=self.caller.website_id)
            if (segment := known.first()) is None:
                raise _unknown("segmentId")
            return segment
        return self.data.get("segmentFilter") or self.data.get("segment")

    def _excluded(self) -> list[Segment]:
        if not (ids := list(dict.fromkeys(self.data.get("excludedSegmentIds", [])))):
            return []
        known = Segment.objects.filter(website=self.caller.website_id).in_bulk(ids)
        for place, one in enumerate(ids):
            if one not in known:
                raise _unknown(f"excludedSegmentIds[{place}]")
        return [known[one] for one in ids]

    def _count(self, tree: Any) -> int:
        """How many subscriptions it reaches now."""
        website = Website(pk=self.caller.website_id)
        if tree is None:
            return Subscription.objects.active().filter(website=website).count()
        try:
            return counting.count(website, tree, timezone.now())
        except counting.TooSlow as error:
            raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error


def _unknown(field: str) -> Unprocessable:
    message = "Your website has no segment with this id."
    error = FieldError(field=field, code=ErrorCode.SEGMENT_UNKNOWN, message=message)
    return Unprocessable(f"{field}: {message}", ErrorCode.SEGMENT_UNKNOWN, [error])
