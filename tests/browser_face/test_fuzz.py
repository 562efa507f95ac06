"""schemathesis against the visitors' endpoints: whatever a stranger sends, a clear answer and never a 5xx."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from signalize_console.recipients import subscribing
from signalize_console.recipients.subscribing import Visitor
from tests.browser_face.public_api import document
from tests.makers import ORIGIN, make_push, make_website
from tests.web import Web

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
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()

    with Web(threads=4, DATABASE_URL=url) as web:
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run", str(schema)),
                *(f"--url={web.origin}", f"--checks={CHECKS}", "--phases=examples,coverage,fuzzing"),
                *("--max-examples=120", f"--header=Origin: {ORIGIN}", "--no-color", "--continue-on-failure"),
                *("--generation-database=none", "--suppress-health-check=all", "--request-timeout=30"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated, done.stdout[-2_000:]
    assert int(generated[1]) > 1_000
