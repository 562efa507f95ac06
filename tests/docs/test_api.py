"""docs/api.md in four languages, and the JSON of the pages about errors, segments and automations."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from signalize_console.audiences.counting import count
from signalize_console.automations import definition
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.docs.examples import example, runs
from tests.programs import require

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
Run = Callable[..., str]
CURL = example("docs/api.md", "sh")
ANSWER = json.loads(example("docs/api.md", "json"))
ERROR = json.loads(example("docs/errors.md", "json"))


def test_curl_gets_the_documented_answer(run: Run, customer: Subscription) -> None:
    require("curl")
    answer = json.loads(run("bash", code=CURL))
    assert answer == {**ANSWER, "messageId": PushMessage.objects.get().pk}


def test_an_error_looks_as_documented(run: Run, customer: Subscription) -> None:
    require("curl")
    answer = json.loads(run("bash", code=CURL.replace("Your order", "Your order" * 21)))
    own = {"timestamp", "requestId"}  # of each request
    assert {**ERROR, **{name: answer[name] for name in own}} == answer
    assert all(
        re.fullmatch(r"(req_\w{20}|[\d-]{10}T[\d:]{5}Z)", one[name])
        for name in own
        for one in (ERROR, answer)
    )


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ([sys.executable, "-"], example("docs/api.md", "python")),
        (["php"], "<?php " + example("docs/api.md", "php")),
        (["node", "--input-type=module", "-"], example("docs/api.md", "js", 1)),
    ],
    ids=["python", "php", "node"],
)
def test_a_first_message(run: Run, customer: Subscription, program: list[str], code: str) -> None:
    require(program[0])
    assert run(*program, code=code) == str(PushMessage.objects.get().pk)


@runs("docs/segments.md", "json")
def test_a_segment(website: Website, code: str) -> None:
    assert count(website, json.loads(code), timezone.now()) == 0


@runs("docs/automations.md", "json")
def test_a_rule(code: str) -> None:
    said: dict[str, Any] = json.loads(code)
    assert len(definition.parse(said).steps) == len(said["steps"]) == 4
