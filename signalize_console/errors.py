"""The body of every error, in Signalize's six fields. Both public faces answer with it."""

import datetime
from http import HTTPStatus
from typing import TypedDict


class SixFields(TypedDict):
    timestamp: str
    status: int
    error: str
    message: str
    path: str
    errorCode: str


def six_fields(status: int, message: str, path: str, code: str) -> SixFields:
    """``message`` says in plain words what is wrong and what to do; ``code`` is stable."""
    return {
        "timestamp": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%MZ}",
        "status": status,
        "error": HTTPStatus(status).phrase.capitalize(),
        "message": message,
        "path": path,
        "errorCode": code,
    }
