"""Parsing at the door: serializers that refuse a misspelt field, and times in milliseconds."""

import datetime
import difflib
from collections.abc import Mapping
from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import exceptions, parsers, serializers

LATEST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


class JSONParser(parsers.JSONParser):
    """JSON, also when somebody nests it deeper than Python can read."""

    def parse(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().parse(*arguments, **options)
        except RecursionError:
            raise exceptions.ParseError("The body is nested too deeply.") from None


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
