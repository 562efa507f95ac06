"""Parsing at the door: serializers that refuse a misspelt field, and times in milliseconds."""

import datetime
import difflib
import json
from collections.abc import Mapping, Sequence
from typing import IO, Any

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import exceptions, parsers, serializers

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
        self.validators.append(ProhibitNullCharactersValidator())

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Give a text.")
        try:
            data.encode()
        except UnicodeEncodeError:
            raise serializers.ValidationError("This text is not valid Unicode.") from None
        return str(super().to_internal_value(data))


class Milliseconds(serializers.IntegerField):
    """A time as Signalize writes it: milliseconds since 1970."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=int(LATEST.timestamp() * 1000), **options)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError("Give a time in milliseconds since 1970, as a whole number.")
        return data

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return (
            datetime.datetime.fromtimestamp(value / 1000, datetime.UTC) if isinstance(value, int) else value
        )


def milliseconds(moment: datetime.datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
