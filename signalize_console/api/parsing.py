"""Parsing at the door: serializers that refuse a misspelt field, and times in milliseconds."""

import datetime
import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import IO, Any

from django.core.validators import ProhibitNullCharactersValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, parsers, serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from signalize_console.messaging.placeholders import NAME

MOST_VALUES, LONGEST_VALUE = 50, 1_000

# Whatever PostgreSQL and UTF-8 can't hold is refused; what is blank is missing.
ANY_TEXT = r"^[^\u0000]*$"
SOME_TEXT = r"^[^\u0000]*[^\s\u0000-\u001f\u0085][^\u0000]*$"
LATEST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8 (RFC 8259), whatever charset is declared and however deep somebody nests it."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, {**(parser_context or {}), "encoding": "utf-8"})
        except RecursionError:
            raise exceptions.ParseError("The body is nested too deeply.") from None
        except exceptions.ParseError as error:
            raise exceptions.ParseError(_where_it_breaks_off(error.__context__)) from None


def _where_it_breaks_off(error: BaseException | None) -> str:
    message = "The body is not valid JSON in UTF-8."
    if isinstance(error, json.JSONDecodeError):
        message += f" It breaks off at line {error.lineno}, column {error.colno}."
    return message


class Choice(serializers.ChoiceField):
    """One of a few words. A refusal names them, and doesn't repeat what was sent."""

    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        words = ", ".join(choices)
        super().__init__(choices, error_messages={"invalid_choice": f"Give one of: {words}."}, **options)


class Strict(serializers.Serializer):
    """Refuses unknown fields by name: a typo must not be swallowed."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            for name in data:
                if name not in self.fields:
                    near = difflib.get_close_matches(str(name), list(self.fields), 1)
                    hint = f" Did you mean {near[0]}?" if near else ""
                    raise serializers.ValidationError({str(name)[:100]: [f"This field is unknown.{hint}"]})
        return super().to_internal_value(data)


class PlainText(serializers.CharField):
    """Text that PostgreSQL and UTF-8 can hold. Numbers are not taken for text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Django REST framework looks at each character for what one look at the whole text tells.
        slow = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)
        self.validators = [one for one in self.validators if not isinstance(one, slow)]

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Give a text.")
        try:
            data.encode()
        except UnicodeEncodeError:
            raise serializers.ValidationError("This text is not valid Unicode.") from None
        if "\0" in data:
            raise serializers.ValidationError("Null characters are not allowed.")
        if not self.allow_blank and not re.search(r"[^\s\x00-\x1f]", data):
            self.fail("blank")
        # As the document says it, of the text as it came; spaces around it are cut only after that.
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return str(super().to_internal_value(data))


class Flag(serializers.BooleanField):
    """true or false, and nothing that just looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Give true or false.")
        return data


def _whole(data: Any) -> int | None:
    """A whole number as JSON Schema has it: 5 and 5.0, but not "5", 5.5 or true."""
    if isinstance(data, float) and data.is_integer():
        return int(data)
    return data if isinstance(data, int) and not isinstance(data, bool) else None


class Whole(serializers.IntegerField):
    """A whole number in JSON: 5, not "5" or 5.5."""

    def to_internal_value(self, data: Any) -> int:
        if (number := _whole(data)) is None:
            raise serializers.ValidationError("Give a whole number.")
        return number


TEXT_OR_NUMBER: list[dict[str, Any]] = [
    {"type": "string", "maxLength": LONGEST_VALUE, "pattern": ANY_TEXT},
    {"type": "number", "minimum": -(2**53), "maximum": 2**53},
]


@extend_schema_field({"anyOf": TEXT_OR_NUMBER})
class Scalar(serializers.Field):
    """A text or a number."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            raise serializers.ValidationError("Give a text or a number.")
        if why := _wrong("value", data):
            raise serializers.ValidationError(why)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MOST_VALUES,
        "propertyNames": {"pattern": f"^{NAME}$"},
        "additionalProperties": {"anyOf": [*TEXT_OR_NUMBER, {"type": "boolean"}, {"type": "null"}]},
    }
)
class Values(serializers.Field):
    """Names and their values: texts, numbers, true and false. null is no value."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("Give an object of names and values.")
        if len(data) > MOST_VALUES:
            raise serializers.ValidationError(f"Give at most {MOST_VALUES} values.")
        if wrong := {str(name)[:100]: [why] for name, value in data.items() if (why := _wrong(name, value))}:
            raise serializers.ValidationError(wrong)
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


def _wrong(name: str, value: Any) -> str | None:
    if not re.fullmatch(NAME, name):
        return "A name is up to 64 letters, digits and _, and begins with no digit."
    if isinstance(value, str):
        return _wrong_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if -(2**53) <= value <= 2**53 else "This number is too large."
    return None if value is None or isinstance(value, bool) else "Give a text, a number, true or false."


def _wrong_text(value: str) -> str | None:
    if len(value) > LONGEST_VALUE:
        return f"Give up to {LONGEST_VALUE:,} characters."
    try:
        value.encode()
    except UnicodeEncodeError:
        return "This text is not valid Unicode."
    return "Null characters are not allowed." if "\0" in value else None


class Milliseconds(serializers.IntegerField):
    """A time as Signalize writes it: milliseconds since 1970."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=int(LATEST.timestamp() * 1000), **options)

    def to_internal_value(self, data: Any) -> Any:
        if (number := _whole(data)) is None:
            raise serializers.ValidationError("Give a time in milliseconds since 1970, as a whole number.")
        return number

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return (
            datetime.datetime.fromtimestamp(value / 1000, datetime.UTC) if isinstance(value, int) else value
        )


def milliseconds(moment: datetime.datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
