import json, zlib
import pytest
from django.test import Client
from tests.api.test_pushmessages import Api, body_for, website, key, reachable, api, SEND
from tests.makers import *
from signalize_console.recipients.models import Recipient
from signalize_console.api.models import ApiKey
from hypothesis import given

def show(name, f):
    try:
        r = f()
        print("%-40s" % name, r.status_code, r.headers.get("content-type"), dict((k,v) for k,v in r.headers.items() if k in("Allow","WWW-Authenticate")), r.content[:230] )
    except BaseException as e:
        print("%-40s" % name, "EXC", type(e), e)

def test_probe(api, reachable, website):
    key = api.key
    strict = Client(raise_request_exception=False, enforce_csrf_checks=True)
    H = {"X-API-Key": key}
    ok = json.dumps(body_for(reachable))
    def post(body=ok, path=SEND, ct="application/json", client=strict, **h):
        return client.post(path, body, ct, headers={**H, **h})
    show("csrf unknown path", lambda: post(path="/v3/nothing"))
    show("trailing slash", lambda: post(path=SEND + "/"))
    show("evil host", lambda: post(**{"Host": "evil.example"}))
    for cs in ("zlib", "hex", "base64", "bz2", "rot13", "utf-16", "utf-7", "nonsense", "idna", "undefined", "punycode", "unicode_escape", "latin-1"):
        show("charset " + cs, lambda: post(ct="application/json; charset=" + cs))
        show("charset? " + cs, lambda: post(path=SEND + "?a=%41", ct="application/json; charset=" + cs))
    show("surrogate name", lambda: post('{"\\ud800": 1}'))
    show("surrogate urgency", lambda: post(json.dumps({**body_for(reachable), "webPush": {**body_for(reachable)["webPush"], "urgency": "\ud800"}})))
    big = post(json.dumps({**body_for(reachable), "status": "x" * 500_000})); print("big status", big.status_code, len(big.content))
    big = post(json.dumps({**body_for(reachable), "x" * 500_000: 1})); print("big name", big.status_code, len(big.content))
    show("language long", lambda: post(json.dumps(body_for(reachable, language="de-abcdefgh-abcdefgh"))))
    show("huge int", lambda: post('{"validUntil": ' + "9"*5000 + '}'))
    show("nul key", lambda: strict.get("/v3/pushmessages/1", headers={"X-API-Key": "sk_a\0b_x"}))
    show("query key", lambda: strict.get("/v3/pushmessages/1?X-API-Key=%s&api_key=%s" % (key, key)))
    show("?format=xml", lambda: post(path=SEND + "?format=xml"))
    show("accept html", lambda: post(Accept="text/html"))
    show("accept garbage", lambda: post(Accept="////;;,"))
    show("no ct", lambda: post(ct=""))
    show("ct garbage", lambda: post(ct="application/json; charset=\"\x80"))
    show("OPTIONS", lambda: strict.options(SEND, headers=H))
    show("DELETE", lambda: strict.delete(SEND, headers=H))
    show("HEAD", lambda: strict.head("/v3/pushmessages/1", headers=H))
    show("nul path", lambda: strict.get("/v3/%00", headers=H))
    show("bad utf path", lambda: strict.get("/v3/%ff%fe", headers=H))
    show("surr path", lambda: strict.get("/v3/%ed%a0%80", headers=H))
    show("docs post", lambda: strict.post("/v3/docs"))
    show("openapi post", lambda: strict.post("/v3/openapi.json"))
    show("/v3", lambda: strict.get("/v3"))
    show("float ttl", lambda: post(json.dumps({**body_for(reachable), "webPush": {**body_for(reachable)["webPush"], "ttl": 1e300}})))
    show("inf ttl", lambda: post(json.dumps({**body_for(reachable), "webPush": {**body_for(reachable)["webPush"], "ttl": "60"}})))
    silent = make_recipient(website)
    b = body_for(reachable, {"clientId": silent.client_id})
    show("mixed", lambda: post(json.dumps(b), **{"Idempotency-Key": "k"}))
    silent.delete()
    show("replay after erasure", lambda: post(json.dumps(b), **{"Idempotency-Key": "k"}))
    show("lang de", lambda: post("{}", **{"Accept-Language": "de"}))
    show("bom", lambda: post(b"\xef\xbb\xbf" + ok.encode()))
    show("utf16 bytes", lambda: post(ok.encode("utf-16")))
    show("sendAt past", lambda: post(json.dumps({**body_for(reachable), "sendAt": 1})))
    show("sendAt 2099", lambda: post(json.dumps({**body_for(reachable), "sendAt": 4070908800000})))
    show("link nonhost", lambda: post(json.dumps(body_for(reachable, link="https://[::1"))))
    show("link %", lambda: post(json.dumps(body_for(reachable, link="http://x/%d%(url)s"))))
    show("link port", lambda: post(json.dumps(body_for(reachable, link="https://x:99999/"))))
    show("link host", lambda: post(json.dumps(body_for(reachable, link="https://exa mple/"))))
    page = strict.get("/v3/docs"); print(page.headers)
    import re
    for a in re.findall(r'(?:src|href|data-document)="([^"]*)"', page.content.decode()):
        show(a, lambda: strict.get(a))
    doc = strict.get("/v3/openapi.json").json()
    json.dump(doc, open("/tmp/probe/openapi.json", "w"), indent=1)
