"""The console as in production, that also tells what each answer took: seconds, queries, the slowest of them."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection

django_application = get_wsgi_application()
Start = Callable[..., Any]


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    queries: list[str] = []

    def count(execute: Callable[..., Any], sql: Any, *args: Any) -> Any:
        asked = time.perf_counter()
        try:
            return execute(sql, *args)
        finally:
            # Sorted as texts, the slowest is the largest.
            queries.append(
                f"{1000 * (time.perf_counter() - asked):08.1f} ms: {' '.join(str(sql).split())[-900:]}"
            )

    def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        told = [("X-Seconds", f"{time.perf_counter() - begun:.6f}"), ("X-Queries", str(len(queries)))]
        told.append(("X-Slowest", max(queries, default="").encode("ascii", "replace").decode()))
        return start_response(status, [*headers, *told], *more)

    begun = time.perf_counter()
    with connection.execute_wrapper(count):
        return django_application(environ, started)
