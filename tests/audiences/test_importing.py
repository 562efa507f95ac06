"""Filling a list from a CSV file, as spreadsheets of many countries write it."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from signalize_console.audiences import importing, spreadsheets
from signalize_console.audiences.importing import Names, check, fill
from signalize_console.audiences.models import ListMember, RecipientList, Segment
from signalize_console.audiences.spreadsheets import NotCsv
from signalize_console.deliveries import disclosing, erasing
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.makers import make_recipient, make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def on(website: Website) -> RecipientList:
    return RecipientList.objects.create(website=website, name="Fair")


def members(on: RecipientList) -> set[Recipient]:
    return {one.recipient for one in on.members.select_related("recipient")}


def upload(on: RecipientList, content: str | bytes, by: Names = Names.CUSTOMER_ID, **how: Any) -> Any:
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    check(file, by)
    return fill(on, file, by, timezone.now(), **how)


@pytest.mark.parametrize(
    "content",
    [
        "K-1\nÖ-2\n",
        "K-1\r\nÖ-2",
        "\n\nK-1\n\n   \nÖ-2\n",
        "name;Kundennummer;city\nAnna;K-1;Bern\nBert;Ö-2;Ulm\n",
        "\ufeffCustomer ID,name\n K-1 ,Anna\n Ö-2,Bert",
        '"customerId"\t"name"\n"K-1"\t"An\tna"\n"Ö-2"\t"line\nbreak"\n',
        'sep=;\r\nname;customer_id\r\n"Anna; Dr.";"K-1"\r\nBert;Ö-2\r\n',
        '="K-1"\n="Ö-2"\n',
        "K-1;;;\nÖ-2;;;\n;;x;\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_what_spreadsheets_write_is_read(
    website: Website, on: RecipientList, content: str, encoding: str
) -> None:
    known = {make_recipient(website, customer_id=one) for one in ("K-1", "Ö-2")}
    if encoding == "cp1252" and content.startswith("\ufeff"):
        content = content[1:]
    report = upload(on, content.encode(encoding))
    assert members(on) == known
    assert (report.rows, report.known, report.added, report.unknown) == (2, 2, 2, [])
    assert (on.size, on.filled_at is not None) == (2, True)


def test_it_reports_what_became_of_the_rows(website: Website, on: RecipientList) -> None:
    both = {make_recipient(website, customer_id="K-1") for _browser in range(2)}
    make_recipient(make_website(name="Other"), customer_id="K-9")
    make_recipient(website, customer_id="")
    report = upload(on, "K-1\nK-9\nK-1\n1.23E+15\nK-9\n")
    assert members(on) == both
    assert (report.rows, report.repeated, report.known, report.added) == (5, 2, 1, 2)
    assert (report.unknown_count, report.unknown) == (2, [(2, "K-9"), (4, "1.23E+15")])
    assert report.shortened
    again = upload(on, "K-1\n")
    assert (again.added, again.known, again.shortened, on.size) == (0, 1, False, 2)


def test_a_file_adds_or_replaces(website: Website, on: RecipientList) -> None:
    first, second = (make_recipient(website, customer_id=one) for one in ("K-1", "K-2"))
    upload(on, "K-1")
    upload(on, "K-2")
    assert members(on) == {first, second}
    upload(on, "K-2", replace=True)
    assert members(on) == {second}


def test_recipient_ids_in_any_case(website: Website, on: RecipientList) -> None:
    known = make_recipient(website)
    report = upload(on, f"mail,_et_coid\na@example.com,{known.client_id.upper()}\n", Names.CLIENT_ID)
    assert (members(on), report.unknown) == ({known}, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no id"),
        (b";;\n;\n", "no id"),
        (b"PK\x03\x04\x14\0", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1", "workbook"),
        (b"Recipient ID\nabc\n", "something else"),
        (b"\xff\xfeK\0-\xd8\0\xd8", "CSV UTF-8"),
        (b"x" * 70_000, "too long"),
        (b'"' + b"x\n" * 80_000, "CSV UTF-8"),
    ],
)
def test_what_is_no_csv_is_refused_in_words(on: RecipientList, content: bytes, said: str) -> None:
    with pytest.raises(NotCsv, match=said):
        upload(on, content)
    assert not ListMember.objects.exists()


def test_its_rows_are_bounded(on: RecipientList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_ROWS", 3)
    upload(on, "Customer ID\na\nb\nc\n")
    with pytest.raises(NotCsv, match="up to 3 rows"):
        upload(on, "a\nb\nc\nd\n")


def test_hostile_text_is_only_text(website: Website, on: RecipientList) -> None:
    evil = ["'; DROP TABLE recipients_recipient; --", "\\.", "\\N", "%s", "a\0b", "{x}", "x" * 500]
    known = make_recipient(website, customer_id="\\.")
    report = upload(on, "\n".join(evil))
    assert members(on) == {known}
    assert report.unknown_count == len(evil) - 1


def test_nothing_is_held_in_memory(
    website: Website, on: RecipientList, django_assert_num_queries: Callable
) -> None:
    """The statements are as many for many rows as for few, and the reader hands on row by row."""
    rows = spreadsheets.rows(io.BytesIO(b"a\n" * 100_000))
    assert next(rows) == (1, ["a"])
    assert next(rows) == (2, ["a"])
    for count in (1, 5_000):
        file = io.BytesIO("\n".join(f"K-{n}" for n in range(count)).encode())
        with django_assert_num_queries(14):
            fill(on, file, Names.CUSTOMER_ID, timezone.now())


def test_who_is_erased_is_on_no_list_and_who_asks_is_told(website: Website, on: RecipientList) -> None:
    known = make_recipient(website, customer_id="K-1")
    upload(on, "K-1")
    assert disclosing.disclose(known)["recipient"]["lists"] == ["Fair"]
    erasing.erase(known)
    assert not ListMember.objects.exists()


@pytest.mark.parametrize(
    ("value", "is_named"), [(1, True), ([5, 1], True), (5, False), ([5, 7], False), (11, False)]
)
def test_it_knows_the_segments_that_name_it(
    website: Website, on: RecipientList, value: Any, is_named: bool
) -> None:
    number = lambda one: on.pk if one == 1 else on.pk + one  # noqa: E731
    value = [number(one) for one in value] if isinstance(value, list) else number(value)
    condition = {"field": "list", "op": "in" if isinstance(value, list) else "equals", "value": value}
    other = {"field": "visits", "value": on.pk}
    segment = Segment.objects.create(
        website=website, name="S", definition={"any": [other, {"not": {"all": [condition]}}]}
    )
    assert (segment in Segment.objects.filter(on.named_in("definition"))) is is_named
