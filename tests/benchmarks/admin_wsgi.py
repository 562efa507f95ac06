"""The console as in production, that also tells what each answer took: seconds in Django, and queries."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection

django_application = get_wsgi_application()
Start = Callable[..., Any]


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    queries = 0

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*args)

    def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        told = [("X-Seconds", f"{time.perf_counter() - begun:.6f}"), ("X-Queries", str(queries))]
        return start_response(status, [*headers, *told], *more)

    begun = time.perf_counter()
    with connection.execute_wrapper(count):
        return django_application(environ, started)
