"""The opt-in as a whole: ready-made, for one visitor's language, and its text under a version."""

from typing import Any

from django.db import transaction

from signalize_console.websites.models import ConsentText, OptIn, OptInText, Website

READY: dict[str, dict[str, Any]] = {
    "en": {
        "standard": True,
        "title": "May we tell you when there is news?",
        "message": "A short notification in your browser. No e-mail address, and off again with one click.",
        "yes": "Yes, please",
        "no": "Not now",
        "label": "Get notified",
    },
    "de": {
        "title": "Dürfen wir uns bei Neuigkeiten melden?",
        "message": "Eine kurze Benachrichtigung im Browser. Ohne E-Mail-Adresse, mit einem Klick wieder aus.",
        "yes": "Ja, gern",
        "no": "Jetzt nicht",
        "label": "Benachrichtigt werden",
    },
}


@transaction.atomic
def opt_in_of(website: Website) -> OptIn:
    """The website's opt-in; at the first time a ready one, switched off, in English and German."""
    opt_in, is_new = OptIn.objects.get_or_create(website=website)
    if is_new:
        OptInText.objects.bulk_create(
            OptInText(opt_in=opt_in, language=language, **words) for language, words in READY.items()
        )
        publish(opt_in)
    return opt_in


@transaction.atomic
def publish(opt_in: OptIn) -> int:
    """The version under which consent is logged. A new one if what visitors read has changed."""
    website = Website.objects.select_for_update().get(pk=opt_in.website_id)
    said = {
        "texts": {text.language: text.words() for text in OptInText.objects.filter(opt_in=opt_in)},
        "interests": {one.key: {"": one.name, **one.names} for one in opt_in.interests.all()},
    }
    latest = website.consent_texts.first()
    if latest and latest.said == said:
        return int(latest.version)
    version = latest.version + 1 if latest else 1
    ConsentText.objects.create(website=website, version=version, said=said)
    return version


def rules(website: Website) -> dict[str, object] | None:
    """Whether, when and where to ask; None where it is off."""
    opt_in = OptIn.objects.filter(website=website, is_on=True).first()
    return opt_in.rules() if opt_in else None


def asked(website: Website, language: str) -> dict[str, Any]:
    """All that the dialog shows to a visitor of this language, with the version of the text."""
    opt_in = opt_in_of(website)
    text = text_for(list(opt_in.texts.all()), language)
    latest = website.consent_texts.first()
    return {
        "look": opt_in.look(),
        "language": text.language,
        "words": text.words(),
        "interests": interests(opt_in, text.language),
        "textVersion": latest.version if latest else 0,
    }


def interests(opt_in: OptIn, language: str) -> list[dict[str, str]]:
    return [{"key": one.key, "name": one.name_in(language)} for one in opt_in.interests.all()]


def text_for(texts: list[OptInText], language: str) -> OptInText:
    """The text in this language, else in its main language (de for de-AT), else the standard one."""
    by_language = {text.language.lower(): text for text in texts}
    tag = language.lower()
    standard = next((text for text in texts if text.standard), texts[0])
    return by_language.get(tag) or by_language.get(tag.split("-", 1)[0]) or standard
