"""Storing a new push message with its texts in one statement: the API's speed hangs on it.

PostgreSQL reads the rows from JSON, so that no value is prepared one by one.
"""

import functools
import json
from collections.abc import Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import NOT_PROVIDED, Field, Model

from signalize_console.messaging.models import PushMessage, PushMessageText

INSERT = """
WITH message AS (
    INSERT INTO {message} ({columns})
    SELECT {columns} FROM jsonb_populate_record(NULL::{message}, %s)
    RETURNING id
), texts AS (
    INSERT INTO {text} (push_message_id, {text_columns})
    SELECT message.id, {said} FROM message, jsonb_populate_recordset(NULL::{text}, %s) text
)
SELECT id FROM message
"""


def insert(message: PushMessage, texts: Sequence[PushMessageText]) -> None:
    """Gives the message its id, and the texts their message."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [_row(message), json.dumps([_values(text) for text in texts])])
        (message.pk,) = cursor.fetchone()
    message._state.adding, message._state.db = False, connection.alias
    for text in texts:
        text.push_message = message


@functools.cache
def _fields(model: type[Model]) -> tuple[Field, ...]:
    """All that we write: what PostgreSQL fills in by itself is left to it."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if not field.primary_key
        and field.column != "push_message_id"
        and (field.db_default is NOT_PROVIDED or field.has_default())
    )


@functools.cache
def _statement() -> str:
    columns = [str(field.column) for field in _fields(PushMessage)]
    text_columns = [str(field.column) for field in _fields(PushMessageText)]
    return INSERT.format(
        message=PushMessage._meta.db_table,
        columns=", ".join(columns),
        text=PushMessageText._meta.db_table,
        text_columns=", ".join(text_columns),
        said=", ".join(f"text.{column}" for column in text_columns),
    )


def _values(row: Model) -> dict[str, Any]:
    return {str(field.column): getattr(row, field.attname) for field in _fields(type(row))}


def _row(message: PushMessage) -> str:
    return json.dumps(_values(message), cls=DjangoJSONEncoder)
