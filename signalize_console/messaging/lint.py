"""What a colleague would remark before a push message goes out: advice, which blocks nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from signalize_console.messaging import limits, rendering
from signalize_console.messaging.content import Text
from signalize_console.messaging.coverage import Lack, lacks, newest
from signalize_console.messaging.media import Media
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.pictures import RULES, PictureKind
from signalize_console.messaging.placeholders import PLACEHOLDER, placeholders, validate_text_link
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

FEWEST_CAPITALS, MOST_CAPITALS = 8, 0.7
SHOUTED = re.compile(r"[!?]{2,}")
BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")
LINKS = ("link", "first_button_link", "second_button_link")
FIELDS = ("title", "message", "first_button", "second_button", *LINKS)


@dataclass(frozen=True)
class Remark:
    """``text`` and ``field`` say where; ``is_serious``: many readers would stumble over it."""

    sentence: str
    field: str = ""
    text: Text | None = None
    is_serious: bool = True


def remarks(
    message: PushMessage,
    texts: Sequence[Text],
    website: Website | None,
    readers: Sequence[Recipient] = (),
) -> list[Remark]:
    """All there is to say; what depends on the website only where it is chosen already.

    ``readers`` are some of those who would get it; without them the website's newest recipients are asked.
    """
    found = [remark for text in texts for remark in _of_text(text)]
    found += _of_size(message, texts)
    if website is not None:
        found += [remark for text in texts for remark in _of_links(text, website)]
        found += _of_values(texts, website, readers)
        found += _of_pictures(message, website)
    found += _of_what_is_only_seen(message, texts)
    return sorted(found, key=lambda remark: not remark.is_serious)


def _of_text(text: Text) -> Iterator[Remark]:
    """Of its words alone."""
    for field, said in (("title", text.title), ("message", text.message)):
        for sentence in _of_words(said):
            yield Remark(sentence, field, text)
        cut = limits.cut_at("title" if field == "title" else "body", len(PLACEHOLDER.sub(_as_read, said)))
        if cut:
            sentence = _("Not all of it is seen on %(platforms)s. Put what matters first.")
            yield Remark(sentence % {"platforms": ", ".join(cut)}, field, text, is_serious=False)
    if text.title and not text.message:
        yield Remark(_("There is a title only: one sentence more says why to click."), "message", text, False)
    for field, label in (("first_button", text.first_button), ("second_button", text.second_button)):
        if len(PLACEHOLDER.sub(_as_read, label)) > limits.BUTTON:
            yield Remark(_("A button shows about 20 characters."), field, text)
        if not label and getattr(text, f"{field}_link"):
            yield Remark(_("This button has a link but no label, so it isn't shown."), field, text)


def _of_words(said: str) -> Iterator[str]:
    letters = [letter for letter in said if letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    if len(letters) >= FEWEST_CAPITALS and capitals > MOST_CAPITALS * len(letters):
        yield _("Capitals look like shouting, and are harder to read.")
    if SHOUTED.search(said):
        yield _("One ! or ? says it; more of them look like spam.")
    if BRACES.search(PLACEHOLDER.sub("", said)):
        yield _('These braces stay as they are. A placeholder looks like {{ name | "fallback" }}.')


def _as_read(placeholder: re.Match[str]) -> str:
    """Of somebody of whom nothing is known, as in the previews."""
    return f"‹{placeholder['name']}›" if placeholder["fallback"] is None else placeholder["fallback"]


def _of_links(text: Text, website: Website) -> Iterator[Remark]:
    for field in LINKS:
        link = getattr(text, field)
        if not link:
            continue
        try:
            validate_text_link(link)
        except ValidationError as error:
            yield Remark(" ".join(error.messages), field, text)
            continue
        parts = urlsplit(link)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in website.origins:
            sentence = _("%(origin)s isn't one of this website's own origins. Visitors may not expect it.")
            yield Remark(sentence % {"origin": origin}, field, text)


def _of_values(texts: Sequence[Text], website: Website, readers: Sequence[Recipient]) -> Iterator[Remark]:
    """Placeholders against real recipients; each is spoken of once, where it first stands."""
    used = placeholders(written for text in texts for written in text.written)
    found = lacks(used, readers or newest(website)) if used else []
    open_lacks = {lack.placeholder: lack for lack in found}
    for text in texts if open_lacks else ():
        for field in FIELDS:
            for placeholder in placeholders([getattr(text, field)]):
                if lack := open_lacks.pop(placeholder, None):
                    yield Remark(_said_of(lack), field, text, is_serious=placeholder.fallback is None)


def _said_of(lack: Lack) -> str:
    if lack.placeholder.fallback is None:
        said = _(
            "%(missing)d of the %(asked)d newest recipients have no value for %(name)s, and would get "
            "nothing. Give a fallback."
        )
    else:
        said = _(
            "%(missing)d of the %(asked)d newest recipients have no value for %(name)s: they read the "
            "fallback."
        )
    return said % {"missing": lack.missing, "asked": lack.asked, "name": lack.placeholder.name}


def _of_pictures(message: PushMessage, website: Website) -> Iterator[Remark]:
    """What is known of those that we serve ourselves."""
    links = {kind: getattr(message, kind) for kind in PictureKind if getattr(message, kind)}
    names = {kind: PurePosixPath(urlsplit(link).path).name for kind, link in links.items()}
    known = {
        media.file_name: media
        for media in Media.objects.filter(website=website, file_name__in=names.values())
    }
    for kind, name in names.items():
        media = known.get(name)
        if media is None:
            continue
        if said := of_weight(kind, media.weight):
            yield Remark(said, kind)
        ratio = media.width / media.height
        off = abs(ratio - limits.IMAGE_RATIO) > limits.IMAGE_RATIO * limits.IMAGE_TOLERANCE
        if kind == PictureKind.IMAGE and off:
            yield Remark(_("This picture isn't twice as wide as it is high: its edges are cut off."), kind)
        if kind != PictureKind.IMAGE and media.kind == PictureKind.IMAGE and media.width != media.height:
            yield Remark(_("This picture isn't a square: it is cut or squeezed."), kind)


def of_weight(kind: str, weight: int) -> str:
    """What there is to say of a picture of so many bytes; "" if nothing."""
    most = RULES[PictureKind(kind)].bytes
    if weight <= most:
        return ""
    said = _(
        "This picture weighs %(weight)s: on the road it may come too late. Take one of at most %(most)s."
    )
    return said % {"weight": filesizeformat(weight), "most": filesizeformat(most)}


def _of_what_is_only_seen(message: PushMessage, texts: Sequence[Text]) -> Iterator[Remark]:
    """A notification's image has no alternative text, and half of the systems don't show it."""
    for text in texts:
        if message.image and not text.message:
            sentence = _(
                "The large image isn't read aloud, nor shown everywhere. Say in words what it shows."
            )
            yield Remark(sentence, "message", text)


def _of_size(message: PushMessage, texts: Sequence[Text]) -> Iterator[Remark]:
    for text in texts:
        try:
            rendering.check_size(message, [text])
        except rendering.TooLarge as error:
            yield Remark(str(error), "message", text)
