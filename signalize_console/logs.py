"""What every line of the log goes through: it gets the request's id, and loses what a database quotes.

PostgreSQL repeats rows and keys in the lines after an error's first one: endpoints, customer ids.
"""

import logging
from collections.abc import Iterator

import psycopg
from django.db import Error

from signalize_console import request_ids

_plain = logging.Formatter()


class Discreet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # Django adds the request itself, whose address may be a search for somebody.
        request = record.__dict__.pop("request", None)
        if request_id := request_ids.current.get() or getattr(request, "request_id", ""):
            record.request_id = request_id
        values = record.args if isinstance(record.args, tuple) else ()
        error = record.exc_info[1] if record.exc_info else None
        errors = [one for start in (error, *values) for one in _of_database(start)]
        if errors:
            record.msg, record.args = _first_lines(record.getMessage(), errors), None
            if record.exc_info:
                record.exc_text = _first_lines(_plain.formatException(record.exc_info), errors)
                record.exc_info = None
        return True


def _of_database(error: object) -> Iterator[BaseException]:
    """The errors of the database that led to this one."""
    seen: set[int] = set()
    while isinstance(error, BaseException) and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, Error | psycopg.Error):
            yield error
        error = error.__cause__ or error.__context__


def _first_lines(text: str, errors: list[BaseException]) -> str:
    for error in errors:
        said = str(error)
        first = said.partition("\n")[0]
        for form in (said, repr(said)[1:-1]):
            text = text.replace(form, first)
    return text
