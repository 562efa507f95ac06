"""Moving in: every format, what is refused and why, going on after a stop, and nothing half."""

import csv
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import ProgrammingError

from signalize_console.recipients import checking, importing, reading, receiving
from signalize_console.recipients.imports import Import, ImportChunk, ImportRow, ImportState
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.recipients.subscribing import Proof, PushSubscription, Visitor, subscribe
from signalize_console.webpush.vapid import generate_keys, parse_private_key
from signalize_console.websites.models import VapidKey, Website
from tests.makers import base64url, make_push, make_website
from tests.recipients import files
from tests.recipients.files import OldKey, as_csv, make_facts

pytestmark = pytest.mark.django_db
OFF_CURVE = base64url(b"\x04" + b"\x01" * 64)


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def key() -> OldKey:
    return OldKey()


def move_in(website: Website, content: str | bytes, **options: Any) -> Import:
    data = content.encode() if isinstance(content, str) else content
    of = receiving.receive(website, "file.csv", [data], **{"at_once": True, **options})
    while of.is_at_work:
        of = importing.work_on(of.pk)
    assert not ImportChunk.objects.exists() or of.state == ImportState.CHECKED
    return of


def reasons(of: Import) -> list[tuple[int, str, str]]:
    return list(of.refusals.order_by("line").values_list("line", "field", "reason"))


@pytest.mark.parametrize("make", [files.signalize, files.onesignal, files.pushpad, files.web_push_php])
@pytest.mark.parametrize("form", ["csv", "semicolons", "array", "lines", "pretty"])
def test_it_reads_what_other_systems_write(
    website: Website, key: OldKey, make: Callable[..., Any], form: str
) -> None:
    facts = [make_facts(key, website) for _row in range(3)]
    rows = [make(one) for one in facts]
    if form in {"csv", "semicolons"}:
        flat = [{**row, **row.get("keys", {})} for row in rows]
        flat = [
            {k: ",".join(v) if isinstance(v, list) else v for k, v in row.items() if k != "keys"}
            for row in flat
        ]
        content = as_csv(*flat, delimiter="," if form == "csv" else ";")
    elif form == "lines":
        content = "\n".join(json.dumps(row) for row in rows)
    else:
        content = json.dumps(rows, indent=2 if form == "pretty" else None)

    of = move_in(website, content, vapid_private_key=key.private)

    assert (of.state, of.rows, of.refused, reasons(of)) == (ImportState.DONE, 3, 0, [])
    stored = {one.endpoint: one for one in Subscription.objects.select_related("vapid_key")}
    for one in facts:
        assert (stored[one["endpoint"]].p256dh, stored[one["endpoint"]].auth) == (one["p256dh"], one["auth"])
        assert stored[one["endpoint"]].vapid_key.public_key == key.public
        assert stored[one["endpoint"]].push_service == "fcm"
    assert website.vapid_key.public_key != key.public


def test_what_else_is_known_moves_too(website: Website, key: OldKey) -> None:
    rows = [
        make(make_facts(key, website))
        for make in (files.onesignal, files.pushpad, files.django_push_notifications)
    ]
    of = move_in(website, json.dumps(rows), vapid_private_key=key.private)

    assert reasons(of) == []
    one, two, three = (
        Recipient.objects.order_by("id")
        .filter(customer_id__in=["c-17", "u-1", "5"])
        .order_by("customer_id")
        .reverse()
    )
    assert (one.interests, two.attributes, two.language) == (["news", "sale"], {"club": "gold"}, "en")
    assert three.subscriptions.get().created_at.year == 2022


def test_a_recipient_that_is_known_stays_and_gets_its_subscription(website: Website, key: OldKey) -> None:
    row = files.signalize(make_facts(key, website))
    known = Recipient.objects.create(
        website=website, client_id=row["_et_coid"], customer_id="K-1", attributes={"a": 1}
    )

    of = move_in(website, as_csv(row))

    assert (of.recipients_made, of.subscriptions_made) == (0, 1)
    assert known.subscriptions.count() == 1
    known.refresh_from_db()
    assert (known.customer_id, known.attributes, known.from_import) == ("K-1", {"a": 1}, None)


def test_each_row_that_is_wrong_is_named_with_its_reason(website: Website, key: OldKey) -> None:
    good = [files.signalize(make_facts(key, website)) for _row in range(2)]
    for number, row in enumerate(good):
        row["_et_coid"] = f"{number:032x}"
    other = make_website(name="Other").vapid_key
    wrong = [
        {**good[0], "userPublicKey": OFF_CURVE},
        {**good[0], "userAuth": "AAAA"},
        {**good[0], "endpoint": "https://127.0.0.1/x"},
        {**good[0], "endpoint": "https://evil.example/fcm.googleapis.com/"},
        {**good[0], "VAPID private key": "nonsense"},
        {**good[0], "VAPID private key": base64url(generate_keys()[1])},
        {**good[0], "VAPID private key": ""},
        {**good[0], "VAPID private key": base64url(other.private_key), "VAPID public key": other.public_key},
        {**good[0], "_et_coid": "short"},
        good[1],
        {**good[0], "userAuth": ""},
    ]
    unknown = generate_keys()[0]
    wrong[6]["VAPID public key"] = unknown

    of = move_in(website, as_csv(good[0], good[1], *wrong))

    assert (of.state, of.rows, of.refused, of.subscriptions_made) == (ImportState.DONE, 13, 11, 2)
    said = reasons(of)
    assert [(line, field) for line, field, _reason in said] == [
        (3, "p256dh"),
        (4, "auth"),
        (5, "endpoint"),
        (6, "endpoint"),
        (7, "vapidPrivateKey"),
        (8, "vapidPrivateKey"),
        (9, "vapidPrivateKey"),
        (10, "vapidPrivateKey"),
        (11, "clientId"),
        (12, "endpoint"),
        (13, "auth"),
    ]
    assert "curve" in said[0][2]
    assert "line 2" in said[9][2]
    assert "another website" in said[7][2]
    told = list(csv.reader(importing.report(of)))
    assert told[0] == ["line", "field", "reason"]
    assert len(told) == 12
    secrets = [good[0][name] for name in ("endpoint", "userAuth", "VAPID private key")]
    assert not any(secret in reason for secret in secrets for _line, _field, reason in said)


def test_what_is_here_already_stays_as_it_is(website: Website, key: OldKey) -> None:
    push = make_push(website)
    subscription, _is_new = subscribe(website, Visitor("1" * 32), push)
    row = files.signalize(make_facts(key, website, push.endpoint))

    of = move_in(website, as_csv(row))

    assert (of.refused, of.subscriptions_made) == (1, 0)
    assert "already" in reasons(of)[0][2]
    subscription.refresh_from_db()
    assert (subscription.auth, subscription.vapid_key) == (push.auth, website.vapid_key)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"endpoint,p256dh,auth\n", "no subscriptions"),
        (b"[]", "no subscriptions"),
        (b"name,mail\nAnna,a@b.c\n", "endpoint, p256dh, auth"),
        (b"endpoint,p256dh\nhttps://x,y\n", "no column for: auth"),
        (b"[1, 2]", "objects"),
        (b'[{"endpoint": "x", "p256dh": "y", "auth": "z"}, {"endp', "isn't JSON"),
        (b'[{"endpoint": "\xff"}]', "UTF-8"),
        (b"x" * 3_000_000, "longer than"),
        (b"\x00\x01\x02\x03PNG\nrubbish\n", "no column for"),
        (b"{" * 200_000, "isn't JSON"),
    ],
)
def test_a_file_that_is_none_moves_nothing(website: Website, content: bytes, said: str) -> None:
    of = move_in(website, content)
    assert of.state == ImportState.FAILED
    assert said in of.error
    assert not Subscription.objects.exists()
    assert not ImportRow.objects.exists()


@pytest.mark.parametrize("piece", [b"name,mail\n" * 100_000, b"x" * 1_000_000, b"[7, 7]" * 200_000])
def test_of_two_gigabytes_of_something_else_only_the_first_is_stored(website: Website, piece: bytes) -> None:
    taken = 0

    def film() -> Iterator[bytes]:
        nonlocal taken
        for _piece in range(2_000_000_000 // len(piece)):
            taken += len(piece)
            yield piece

    of = receiving.receive(website, "film.mkv", film())
    assert taken < 3 * receiving.PIECE
    assert importing.work_on(of.pk).state == ImportState.FAILED


def test_nothing_moves_of_a_file_that_breaks_off(
    website: Website, key: OldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHECKED_AT_ONCE", 2)
    rows = [files.web_push_php(make_facts(key, website)) for _row in range(5)]
    of = move_in(website, json.dumps(rows)[:-3], vapid_private_key=key.private)
    assert of.state == ImportState.FAILED
    assert (Subscription.objects.count(), Recipient.objects.count(), ImportRow.objects.count()) == (0, 0, 0)
    assert not VapidKey.objects.filter(public_key=key.public).exists()


@pytest.mark.parametrize("encode", ["utf-8-sig", "utf-16", "cp1252"])
def test_excel_writes_it_in_many_ways(website: Website, key: OldKey, encode: str) -> None:
    row = {**files.signalize(make_facts(key, website)), "customer id": "Jürgen Groß"}
    delimiter = "\t" if encode == "utf-16" else ";"
    content = ("sep=;\r\n" if encode == "cp1252" else "") + as_csv(row, delimiter=delimiter)

    of = move_in(website, content.encode(encode))

    assert reasons(of) == []
    assert Recipient.objects.get().customer_id == "Jürgen Groß"


def test_two_encodings_in_one_file_are_both_read(website: Website, key: OldKey) -> None:
    rows = [
        {**files.signalize(make_facts(key, website)), "_et_coid": f"{n:032x}", "customer id": "Groß"}
        for n in range(2)
    ]
    head, one, two = as_csv(*rows).splitlines()
    of = move_in(website, b"\n".join([head.encode(), one.encode("utf-8"), two.encode("cp1252"), b""]))
    assert reasons(of) == []
    assert {one.customer_id for one in Recipient.objects.all()} == {"Groß"}


def test_hostile_texts_are_refused_one_by_one(website: Website, key: OldKey) -> None:
    def row(**more: Any) -> dict[str, Any]:
        return {
            **files.web_push_php(make_facts(key, website)),
            "user_id": "",
            "tags": "",
            "customer_id": "",
            **more,
        }

    rows = [
        row(customer_id="a\x00b"),
        row(customer_id="\ud800"),
        row(customer_id="x" * 200),
        row(tags={"n": float("nan")}),
        row(tags={"a\x00": 1}),
        row(interests=["x" * 100]),
        row(interests=[{"deep": [1]}], attributes={"nested": {"a": 1}, "fine": True}),
        row(created_at="99999999999999999999", customer_id="'=1+1"),
    ]
    of = move_in(website, json.dumps(rows), vapid_private_key=key.private)

    assert [line for line, _field, _reason in reasons(of)] == [1, 2, 3, 4, 5, 6]
    assert {one.customer_id for one in Recipient.objects.all()} == {"", "=1+1"}
    assert Recipient.objects.get(customer_id="").attributes == {"fine": True}


def test_it_goes_on_where_it_stopped(website: Website, key: OldKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHECKED_AT_ONCE", 3)
    monkeypatch.setattr(importing, "MOVED_AT_ONCE", 2)
    monkeypatch.setattr(receiving, "PIECE", 700)
    rows = [
        {**files.signalize(make_facts(key, website)), "_et_coid": f"{n:032x}", "note": "a\nb"}
        for n in range(11)
    ]
    of = receiving.receive(website, "f.csv", [as_csv(*rows).encode()], at_once=True)
    steps = 0
    while of.is_at_work:
        of = importing.work_on(of.pk, seconds=0)  # one step, as if it were killed after it
        steps += 1
    assert steps > 7
    assert (of.rows, of.refused, of.subscriptions_made, of.recipients_made) == (11, 0, 11, 11)
    assert Subscription.objects.count() == Recipient.objects.count() == 11


def test_a_step_that_fails_leaves_no_trace(
    website: Website, key: OldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**files.signalize(make_facts(key, website)), "_et_coid": f"{n:032x}"} for n in range(4)]
    of = receiving.receive(website, "f.csv", [as_csv(*rows).encode()], at_once=True)
    importing.work_on(of.pk, seconds=0)
    with monkeypatch.context() as broken:
        broken.setattr(importing, "MAKE_SUBSCRIPTIONS", "SELECT nothing")
        with pytest.raises(ProgrammingError):
            importing.work_on(of.pk)
    assert not Recipient.objects.exists()

    of = importing.work_on(of.pk)
    assert (of.state, of.subscriptions_made, Recipient.objects.count()) == (ImportState.DONE, 4, 4)


@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
def test_records_are_the_same_from_wherever_one_goes_on(size: int) -> None:
    contents = [
        'a,b\n1,"x\ny"\n\n2,ä\n3,"q""q"\n',
        '[{"a": 1, "b": "ä}{"},\n {"a": 2}, {"a": {"b": [1, "]"]}}]',
        '{"a": 1}\n{"a": "😀"}\n',
    ]
    for content in contents:
        data = content.encode()

        def piece(at: int, data: bytes = data) -> bytes:
            return data[at : (at // size + 1) * size]

        whole = list(reading.records(piece))
        assert len(whole) >= 2
        for number, record in enumerate(whole):
            assert list(reading.records(piece, record.position)) == whole[number + 1 :]


def test_a_private_key_may_be_a_pem() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert parse_private_key(pem.decode()) == key.private_numbers().private_value.to_bytes(32, "big")
    for bad in (
        "",
        "x",
        "A" * 44,
        base64url(bytes(32)),
        "-----BEGIN x-----",
        pem.decode().replace("PRIVATE", "PUBLIC"),
    ):
        with pytest.raises(ValueError, match="private VAPID key"):
            parse_private_key(bad)


def test_after_a_visit_it_is_signed_with_the_new_key(website: Website, key: OldKey) -> None:
    """As the snippet does it: the old subscription is reported first, then the new one with the proof of the old."""
    facts = make_facts(key, website)
    move_in(website, as_csv(files.signalize(facts)))
    recipient = Recipient.objects.get()
    visitor = Visitor("f" * 32, "en")
    old = PushSubscription(facts["endpoint"], facts["p256dh"], facts["auth"], key.public)

    known, _is_new = subscribe(website, visitor, old)
    moved, _is_new = subscribe(website, visitor, make_push(website), Proof(old.endpoint, old.auth))

    assert known.recipient == moved.recipient == recipient
    assert moved.vapid_key == website.vapid_key
    assert Subscription.objects.active().get() == moved


def test_a_rotated_key_leaves_nobody_behind(website: Website) -> None:
    push = make_push(website)
    subscription, _is_new = subscribe(website, Visitor("1" * 32), push)
    old = website.vapid_key

    new = website.rotate_vapid_key()

    assert website.vapid_key == new != old
    subscription.refresh_from_db()
    assert subscription.vapid_key == old
    moved, is_new = subscribe(website, Visitor("1" * 32), make_push(website), Proof(push.endpoint, push.auth))
    assert (moved.vapid_key, moved.recipient, is_new) == (new, subscription.recipient, False)


def test_excel_on_an_old_macintosh(website: Website, key: OldKey) -> None:
    content = as_csv(files.signalize(make_facts(key, website)), delimiter=";").replace("\r\n", "\r")
    of = move_in(website, content)
    assert (of.state, of.rows, reasons(of)) == (ImportState.DONE, 1, [])


def test_a_workbook_is_told_from_csv(website: Website) -> None:
    of = move_in(website, b"PK\x03\x04" + b"\x00" * 100)
    assert of.state == ImportState.FAILED
    assert "Excel workbook" in of.error


def test_a_file_without_its_keys_asks_for_them_once(
    website: Website, key: OldKey, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    rows = [{**files.signalize(make_facts(key, website)), "VAPID private key": ""} for _row in range(50)]
    with django_assert_max_num_queries(40):
        of = move_in(website, as_csv(*rows))
    assert of.refused == 50


def test_a_file_brings_only_so_many_keys(
    website: Website, key: OldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_KEYS", 2)
    monkeypatch.setattr(importing, "CHECKED_AT_ONCE", 1)
    keys = [key, OldKey(), OldKey(), key]
    rows = [
        {**files.signalize(make_facts(one, website)), "_et_coid": f"{n:032x}"} for n, one in enumerate(keys)
    ]
    of = move_in(website, as_csv(*rows))
    assert [line for line, _field, _reason in reasons(of)] == [3]
    assert website.vapid_keys.count() == 3


@pytest.mark.parametrize(
    "make_row",
    [
        pytest.param(lambda n: f"https://x/{n},y,z,{'n' * 99_000}\n", id="long lines"),
        pytest.param(lambda n: f"https://x/{n},y,z" + ",a" * 490 + "\n", id="many cells"),
        pytest.param(lambda n: json.dumps({"endpoint": n, "p256dh": [[]] * 3_000, "auth": 1}), id="JSON"),
    ],
)
def test_memory_does_not_grow_with_the_file(website: Website, make_row: Callable[[int], str]) -> None:
    """A file of any size is stored piece by piece and checked by steps that are bounded in rows and bytes."""
    head = ["endpoint", "p256dh", "auth", *(f"c{n}" for n in range(490))]
    size = len(make_row(1))

    def pieces() -> Iterator[bytes]:
        if make_row(1)[0] != "{":
            yield (",".join(head) + "\n").encode()
        for number in range(10_000_000 // size):
            yield make_row(number).encode()

    tracemalloc.start()
    of = receiving.receive(website, "large.csv", pieces())
    _now, receiving_most = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    of = importing.work_on(of.pk, seconds=0)
    _now, checking_most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (of.state, of.size > 9_800_000, of.position < 5_000_000) == (ImportState.CHECKING, True, True)
    assert of.refused == of.rows > 30
    assert receiving_most < 10_000_000
    assert checking_most < 100_000_000


def test_wide_tables_and_endless_rows_are_no_subscriptions(
    website: Website, key: OldKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = "endpoint,p256dh,auth" + ",x" * 40_000 + "\n" + "a\n" * 5_000
    assert "columns" in move_in(website, wide).error
    monkeypatch.setattr(importing, "MOST_ROWS", 3)
    rows = [{**files.signalize(make_facts(key, website)), "_et_coid": f"{n:032x}"} for n in range(4)]
    assert "Split the file" in move_in(website, as_csv(*rows)).error
    assert not Subscription.objects.exists()
