"""A line of the log names its request and the rows that it speaks of, and nothing of a person."""

import copy
import io
import json
import logging
import logging.config
import secrets
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import IntegrityError
from django.test import Client

from signalize_console.api.models import ApiKey
from signalize_console.recipients.models import Recipient
from tests.api.calling import SEND
from tests.makers import make_recipient, make_website
from tests.web import Web, free_port

HEADER = "X-Request-Id"


def log_like(settings: Any, form: str) -> tuple[logging.Logger, io.StringIO]:
    """A logger that writes as LOG_FORMAT says."""
    said, config = io.StringIO(), copy.deepcopy(settings.LOGGING)
    logger = logging.Logger("tests")
    configurator = logging.config.DictConfigurator(config)
    handler = logging.StreamHandler(said)
    handler.setFormatter(configurator.configure_formatter(config["formatters"][form]))
    for name in config["handlers"]["stderr"]["filters"]:
        handler.addFilter(configurator.configure_filter(config["filters"][name]))
    logger.addHandler(handler)
    return logger, said


@pytest.mark.parametrize("given", ["req_0123456789abcdef", "7d3f1f1e-2b8c-4d0a-9c51-1f2a3b4c5d6e", "a" * 64])
def test_a_request_keeps_the_name_that_its_caller_gave(given: str) -> None:
    assert Client().get("/health/live", headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with a space", 'quoted"quoted', "ada@shop.example", "a\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4", "12345678\n"]
)  # fmt: skip
def test_what_is_no_fit_name_is_replaced(given: str) -> None:
    answers = [Client().get("/health/live", headers={HEADER: given}) for _time in range(2)]
    names = {answer.headers[HEADER] for answer in answers}
    assert len(names) == 2
    assert all(name.startswith("req_") for name in names)


def test_the_answer_the_error_and_the_log_name_the_same_request(tmp_path: Path) -> None:
    """Of a real web whose database is away; each line that the console writes is an object."""
    log, key = tmp_path / "log", {"X-API-Key": ApiKey().make_secret()}
    away = f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/nothing"
    with (
        log.open("wb") as output,
        Web(output=output, LOG_FORMAT="json", DATABASE_URL=away, SIGNALIZE_DATABASE_POOL="0") as web,
    ):
        own = requests.post(web.origin + SEND, json={}, headers={**key, HEADER: "shop-0815"}, timeout=30)
        ours = requests.post(web.origin + SEND, json={}, headers=key, timeout=30)
        page = requests.get(
            f"{web.origin}/admin/?q=somebody@shop.example",
            headers={HEADER: "staff-0815"},
            cookies={"sessionid": "a" * 32},
            timeout=30,
        )

    assert (own.status_code, ours.status_code) == (503, 503)
    assert own.headers[HEADER] == own.json()["requestId"] == "shop-0815"
    assert ours.headers[HEADER] == ours.json()["requestId"] != "shop-0815"
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"logger"' in line]
    for answer in (own, ours):
        first, second = [line for line in lines if line["request_id"] == answer.headers[HEADER]]
        assert first["logger"] == "signalize_console.api.errors"
        assert "The database does not answer" in first["message"]
        assert second["logger"] == "django.request"
    assert page.status_code == 500
    assert page.headers[HEADER] == "staff-0815"
    (broken,) = [line for line in lines if line["request_id"] == "staff-0815"]
    assert broken["logger"] == "django.request"
    assert "OperationalError" in broken["exc_info"]
    assert "somebody@shop.example" not in log.read_text()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["line", "json"])
def test_what_a_database_quotes_is_not_written_down(settings: Any, form: str) -> None:
    website, mark = make_website(), f"customer-{secrets.token_hex(8)}"
    make_recipient(website, client_id=mark)
    logger, said = log_like(settings, form)
    with pytest.raises(IntegrityError) as caught:
        Recipient.objects.create(website=website, client_id=mark)
    assert mark in str(caught.value)

    logger.error("It failed.", exc_info=caught.value)
    logger.warning("It failed: %s", caught.value)
    logger.error("Task raised %(exc)s", {"exc": repr(caught.value)}, exc_info=caught.value)
    try:
        raise RuntimeError("later") from caught.value
    except RuntimeError:
        logger.exception("It failed.")

    assert said.getvalue().count("duplicate key value violates unique constraint") >= 4
    assert "RuntimeError: later" in said.getvalue()
    assert mark not in said.getvalue()


def test_the_ids_of_a_line_are_fields_of_their_own(settings: Any) -> None:
    logger, said = log_like(settings, "json")
    logger.warning("Delivery %s waits.", 7, extra={"delivery_id": 7, "request": "of Django"})
    line = json.loads(said.getvalue())
    assert (line["delivery_id"], line["message"]) == (7, "Delivery 7 waits.")
    assert not {"request", "request_id"} & set(line)
