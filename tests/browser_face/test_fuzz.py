"""schemathesis against the visitors' endpoints: whatever a stranger sends, a clear answer and never a 5xx."""

import json
from pathlib import Path

import pytest

from signalize_console.recipients import subscribing
from signalize_console.recipients.subscribing import Visitor
from tests import fuzzing
from tests.browser_face.public_api import document
from tests.makers import ORIGIN, make_push, make_website
from tests.web import Web, database_url

CLIENT_ID = "1" * 32
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_whatever_a_stranger_sends_the_answer_is_a_clear_one(tmp_path: Path) -> None:
    website = make_website()
    push = make_push(website)
    subscribing.subscribe(website, Visitor(CLIENT_ID), push)
    held = {"endpoint": push.endpoint, "keys": {"p256dh": push.p256dh, "auth": push.auth}}
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(document(website.secure_code, held, CLIENT_ID)))

    with Web(threads=4, DATABASE_URL=database_url()) as web:
        sent = fuzzing.fuzz(
            str(schema),
            *(f"--url={web.origin}", f"--checks={CHECKS}", "--phases=examples,coverage,fuzzing"),
            *("--max-examples=120", f"--header=Origin: {ORIGIN}"),
        )

    assert sent > 1_000
