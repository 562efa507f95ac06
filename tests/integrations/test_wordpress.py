"""The WordPress plugin, with the functions of WordPress that it calls, against the running web."""

import hashlib
import hmac
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from signalize_console.websites.models import Website
from tests.programs import require
from tests.web import Web

PLUGIN = Path(__file__).resolve().parents[2] / "integrations" / "wordpress"
XSS = "</script><script>alert(1)</script>"
pytestmark = pytest.mark.django_db(transaction=True)
OPTIONS = {"signalize_server": "https://push.example.com/", "signalize_secure_code": "ABCDEF12"}


@pytest.fixture(autouse=True)
def php() -> None:
    require("php")


def run(action: str, times: int = 1, **given: Any) -> str:
    command = ["php", "-d", "display_errors=stderr", str(PLUGIN / "test" / "run.php"), action, str(times)]
    stdin = json.dumps({"options": OPTIONS, **given})
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout


def calls(printed: str) -> list[Any]:
    return [json.loads(call) for call in re.findall(r"et_signalize\.push\((.*?)\);", printed)]


def test_it_is_php() -> None:
    for file in PLUGIN.rglob("*.php"):
        subprocess.run(["php", "-l", str(file)], check=True, capture_output=True, timeout=60)


def test_each_page_has_the_loader() -> None:
    assert run("wp_head").strip() == (
        '<script id="_etLoader" type="text/javascript" charset="UTF-8" data-secure-code="ABCDEF12" '
        'src="https://push.example.com/code/signalize.js" async></script>'
    )
    assert run("wp_head", options={}) == ""
    assert "<script>alert" not in run("wp_head", options={**OPTIONS, "signalize_secure_code": XSS})


def test_the_service_worker_is_served_at_the_root(web: Web, website: Website) -> None:
    here = {**OPTIONS, "signalize_server": web.origin}
    assert "pushsubscriptionchange" in run("init", uri="/sw.js?x=1", options=here)
    assert run("init", uri="/blog/sw.js", options=here) == ""
    away = {**OPTIONS, "signalize_server": "http://127.0.0.1:1"}
    assert run("init", uri="/sw.js", options=away) == 'importScripts("http:\\/\\/127.0.0.1:1\\/sw.js");'
    assert run("init", uri="/sw.js", options={**away, "signalize_last_worker": "// old"}) == "// old"


def test_the_customer_is_signed() -> None:
    signature = hmac.new(b"secret", b"5", hashlib.sha256).hexdigest()
    printed = run("wp_footer", user=5, options={**OPTIONS, "signalize_identity_secret": "secret"})
    assert calls(printed) == [["setCustomerId", "5", signature]]
    assert run("wp_footer", user=0) == ""


def test_the_shop_tells_what_happens_and_an_order_once() -> None:
    printed = run("woocommerce_after_single_product", product={"id": 3, "name": XSS})
    assert calls(printed) == [["track", "viewProduct", {"product": "3", "name": XSS}]]
    assert XSS not in printed
    printed = run("woocommerce_thankyou", 2, order={"total": "12.50", "currency": "EUR"})
    assert calls(printed) == [["track", "order", {"order": "17", "total": 12.5, "currency": "EUR"}]]


@pytest.mark.parametrize(
    "address", ["http://push.example.com", "javascript:alert(1)", "https://a.b/c", "https://u@a.b"]
)
def test_only_a_safe_address_is_kept(address: str) -> None:
    assert run(f"clean:{address}") == ""
    assert run("clean:https://push.example.com/") == "https://push.example.com"
