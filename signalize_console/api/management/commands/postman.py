"""``manage.py postman``: writes the Postman collection (v2.1) of the API to docs/postman.json."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
PATH = settings.BASE_DIR / "docs" / "postman.json"


class Command(BaseCommand):
    help = "Writes docs/postman.json, from the same source as the OpenAPI document."

    def handle(self, *_args: Any, **_options: Any) -> None:
        PATH.write_text(as_text())
        self.stdout.write(f"Wrote {PATH}")


def as_text() -> str:
    return json.dumps(collection(), indent=1, ensure_ascii=False) + "\n"


def collection() -> dict[str, Any]:
    document = SchemaGenerator().get_schema(request=None, public=True)
    folders: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            folders.setdefault(path.split("/")[2], []).append(_request(path, method, operation))
    return {
        "info": {"name": document["info"]["title"], "schema": SCHEMA},
        "auth": {
            "type": "apikey",
            "apikey": [
                {"key": "key", "value": "X-API-Key"},
                {"key": "value", "value": "{{apiKey}}"},
                {"key": "in", "value": "header"},
            ],
        },
        "variable": [
            {"key": "baseUrl", "value": "http://localhost:8000"},
            {"key": "apiKey", "value": "sk_…"},
        ],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


def _request(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    segments = [part.replace("{", ":").replace("}", "") for part in path.strip("/").split("/")]
    url: dict[str, Any] = {
        "raw": "{{baseUrl}}/" + "/".join(segments),
        "host": ["{{baseUrl}}"],
        "path": segments,
        "variable": [{"key": part[1:], "value": ""} for part in segments if part.startswith(":")],
    }
    request: dict[str, Any] = {
        "method": method.upper(),
        "url": url,
        "description": operation.get("description", ""),
    }
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        example = next(iter(content["examples"].values()))["value"]
        request["header"] = [{"key": "Content-Type", "value": "application/json"}]
        request["body"] = {"mode": "raw", "raw": json.dumps(example, indent=2, ensure_ascii=False)}
    return {"name": operation["summary"], "request": request}
