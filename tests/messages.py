"""The German texts: ``make messages`` puts new English ones into the catalogue, ``--check`` says what is missing.

Pure Python (Babel), so that nobody needs GNU gettext. Django reads the ``.mo`` beside the ``.po``: both are committed.
"""

import datetime
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale/de/LC_MESSAGES/django.po"
KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "ngettext_lazy": (1, 2), "pgettext_lazy": ((1, "c"), 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|\{\{.*?\}\}|<[^>]+>")
# A catalogue whose dates never change makes no conflicts when two branches are merged.
DATE = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)


def sources() -> Iterator[io.BytesIO]:
    for path in sorted((ROOT / "signalize_console").rglob("*.py")):
        yield io.BytesIO(path.read_bytes())
    from django.utils.translation.template import templatize

    for path in sorted((ROOT / "templates").rglob("*.html")):
        lines = templatize(path.read_text(), origin=str(path)).splitlines()
        yield io.BytesIO("\n".join(line.strip() for line in lines).encode())


def template() -> Catalog:
    """Every text that the code marks as one for people."""
    catalog = Catalog()
    for source in sources():
        for _line, texts, _comments, context in extract("python", source, KEYWORDS):
            catalog.add(texts, context=context)
    return catalog


def german() -> Catalog:
    if not PO.exists():
        return Catalog(locale="de")
    with PO.open("rb") as file:
        return read_po(file, locale="de")


def update() -> None:
    """Adds what is new and drops what nobody says any more; then compiles."""
    catalog = german()
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.project, catalog.version, catalog.copyright_holder = "Signalize Console", "1", "Signalize Console"
    catalog.creation_date = catalog.revision_date = DATE
    catalog.header_comment = (
        "# German texts of Signalize Console. Words: docs/glossary.md. Update: make messages"
    )
    catalog.msgid_bugs_address = ""
    catalog.last_translator = catalog.language_team = "Signalize Console"
    catalog.fuzzy = False
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalog, width=110, no_location=True, sort_output=True, include_lineno=False)
    PO.with_suffix(".mo").write_bytes(compiled())


def compiled() -> bytes:
    file = io.BytesIO()
    write_mo(file, german())
    return file.getvalue()


def shown(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def forms(text: object) -> list[str]:
    return [text] if isinstance(text, str) else list(text)  # type: ignore[call-overload]


def complaints() -> list[str]:
    catalog, found = german(), []
    for wanted in template():
        if not wanted.id:
            continue
        has = catalog.get(wanted.id, wanted.context)
        if has is None or not all(forms(has.string)):
            found.append(f"not translated: {shown(wanted)!r}")
        elif has.fuzzy:
            found.append(f"fuzzy: {shown(wanted)!r}")
        elif not all(same_placeholders(text, forms(wanted.id)) for text in forms(has.string)):
            found.append(f"other placeholders: {shown(wanted)!r} → {has.string!r}")
    if not found and PO.with_suffix(".mo").read_bytes() != compiled():
        found.append("django.mo is older than django.po")
    return found


def same_placeholders(text: str, originals: list[str]) -> bool:
    return any(
        sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(original)) for original in originals
    )


def main() -> None:
    if not settings.configured:
        settings.configure(USE_I18N=True)
    if "--check" not in sys.argv:
        update()
    missing = complaints()
    for line in missing:
        sys.stdout.write(f"{line}\n")
    if missing:
        sys.exit(
            f"{len(missing)} German texts are to be put right in {PO.relative_to(ROOT)}: make messages adds them."
        )


if __name__ == "__main__":
    main()
