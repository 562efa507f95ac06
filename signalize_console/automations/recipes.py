"""Ready rules: each makes its templates and itself, switched off, to be read, changed and switched on."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from signalize_console.automations import rules
from signalize_console.automations.models import Reentry, Rule
from signalize_console.messaging.models import MessageTemplate, TemplateText
from signalize_console.websites.models import Website

Said = tuple[str, str]


@dataclass(frozen=True)
class Recipe:
    """``texts`` are of its templates, in order: title and message in English and German.

    A step ``"send"`` or ``"send transactional"`` sends the next of them.
    """

    name: Any
    purpose: Any
    when: dict[str, Any]
    steps: list[Any]
    texts: list[tuple[Said, Said]]
    unless: list[dict[str, Any]] = field(default_factory=list)
    condition: dict[str, Any] | None = None
    reentry: Reentry = Reentry.ALWAYS
    topic: str = ""


def event(name: str) -> dict[str, Any]:
    return {"kind": "event", "name": name}


def wait(**duration: int) -> dict[str, Any]:
    return {"wait": duration}


NOW = "send transactional"
BOUGHT = {"field": "event", "name": "order", "op": "atLeast", "value": 1, "within": {"days": 365}}

RECIPES: dict[str, Recipe] = {
    "registration": Recipe(
        _("Registration confirmation"),
        _("At once, when somebody has registered."),
        event("registration"),
        [NOW],
        [
            (
                ('Welcome, {{ first_name | "and thank you" }}', "Your account is ready."),
                ('Willkommen, {{ first_name | "und danke" }}', "Ihr Konto ist eingerichtet."),
            )
        ],
    ),
    "order": Recipe(
        _("Order confirmation"),
        _("At once, with the order's number."),
        event("order"),
        [NOW],
        [
            (
                ("Thank you for your order", 'Order {{ orderNumber | "received" }}: we are packing it.'),
                ("Danke für Ihre Bestellung", 'Bestellung {{ orderNumber | "erhalten" }}: Wir packen sie.'),
            )
        ],
    ),
    "dispatch": Recipe(
        _("Dispatch notice"),
        _("At once, when your shop reports that a parcel has left."),
        event("dispatched"),
        [NOW],
        [
            (
                ("Your parcel is on its way", 'It arrives {{ arrival | "soon" }}.'),
                ("Ihr Paket ist unterwegs", 'Es kommt {{ arrival | "bald" }} an.'),
            )
        ],
    ),
    "appointment": Recipe(
        _("Appointment reminder"),
        _("24 hours before the recipient's attribute “appointment”. A moved appointment moves the reminder."),
        {"kind": "date", "attribute": "appointment", "offset": {"hours": -24}},
        [NOW],
        [
            (
                ("See you tomorrow", "Your appointment is in 24 hours. Tell us if you can't come."),
                ("Bis morgen", "Ihr Termin ist in 24 Stunden. Sagen Sie uns, falls Sie nicht kommen können."),
            )
        ],
    ),
    "error": Recipe(
        _("Payment error"),
        _("At once, when a payment has failed; again after a day, unless it was paid."),
        event("paymentFailed"),
        [NOW, wait(days=1), NOW],
        [
            (
                ("Your payment didn't go through", "Please check your details; we keep your order."),
                ("Ihre Zahlung hat nicht geklappt", "Bitte prüfen Sie Ihre Angaben; wir heben alles auf."),
            ),
            (
                ("Your order still waits", "One click, and it is paid."),
                ("Ihre Bestellung wartet noch", "Ein Klick, und sie ist bezahlt."),
            ),
        ],
        unless=[event("paid")],
        reentry=Reentry.RESTART,
    ),
    "delay": Recipe(
        _("Delay alert"),
        _("At once, when a delivery, train or flight is late."),
        event("delayed"),
        [{"send transactional": {"validFor": {"hours": 6}}}],
        [
            (
                ("It takes a little longer", 'Now expected: {{ arrival | "later than planned" }}.'),
                ("Es dauert etwas länger", 'Jetzt erwartet: {{ arrival | "später als geplant" }}.'),
            )
        ],
        topic="delay",
    ),
    "birthday": Recipe(
        _("Birthday greeting"),
        _("Every year at nine in the morning of the attribute “birthday”, on the recipient's own clock."),
        {"kind": "date", "attribute": "birthday", "every": "year", "at": "09:00"},
        [{"send": {"validFor": {"hours": 14}}}],
        [
            (
                ('Happy birthday, {{ first_name | "friend" }}!', "There is a present for you."),
                ('Alles Gute, {{ first_name | "Geburtstagskind" }}!', "Ein Geschenk wartet auf Sie."),
            )
        ],
    ),
    "follow_up": Recipe(
        _("Follow-up offer"),
        _("Ten days after an order, at ten in the morning, unless they have ordered again."),
        event("order"),
        [wait(days=10), {"wait": {"until": "10:00"}}, "send"],
        [
            (
                ("What goes well with it", "A choice for you, after your last order."),
                ("Das passt dazu", "Eine Auswahl für Sie nach Ihrer letzten Bestellung."),
            )
        ],
        unless=[event("order")],
        reentry=Reentry.RESTART,
    ),
    "basket": Recipe(
        _("Basket reminder"),
        _("An hour after the last thing was put into the basket, and after two days; unless it was ordered."),
        event("insertToBasket"),
        [wait(hours=1), "send", wait(days=2), "send"],
        [
            (
                ("Still in your basket", '{{ product_name | "What you chose" }} is waiting for you.'),
                ("Noch im Warenkorb", '{{ product_name | "Ihre Auswahl" }} wartet auf Sie.'),
            ),
            (
                ("We keep it a little longer", "Your basket is as you left it."),
                ("Noch liegt alles bereit", "Ihr Warenkorb ist, wie Sie ihn verlassen haben."),
            ),
        ],
        unless=[event("order")],
        reentry=Reentry.RESTART,
        topic="basket",
    ),
    "welcome": Recipe(
        _("Welcome"),
        _("When somebody has opted in, and three days later a first tip."),
        {"kind": "subscribed"},
        [wait(minutes=5), "send", wait(days=3), {"wait": {"until": "18:00"}}, "send"],
        [
            (
                ("Good to have you here", "From now on you hear from us first."),
                ("Schön, dass Sie da sind", "Ab jetzt erfahren Sie alles zuerst."),
            ),
            (
                ("Have you seen this?", "What others like best."),
                ("Schon gesehen?", "Das gefällt anderen am besten."),
            ),
        ],
        reentry=Reentry.ONCE,
    ),
    "win_back": Recipe(
        _("Win-back"),
        _("After 60 days without a visit, to those who have bought within a year."),
        {"kind": "inactivity", "days": 60},
        [{"wait": {"until": "18:00"}}, "send"],
        [
            (
                ("We have missed you", "Look what is new since your last visit."),
                ("Wir haben Sie vermisst", "Das ist neu seit Ihrem letzten Besuch."),
            )
        ],
        condition=BOUGHT,
        reentry=Reentry.SINGLE,
    ),
    "weekly": Recipe(
        _("Weekly offer"),
        _("Every Monday at nine, to everybody."),
        {"kind": "every", "days": ["monday"], "at": "09:00"},
        [{"send": {"validFor": {"hours": 12}}}],
        [
            (
                ("This week's offer", "New every Monday."),
                ("Das Angebot der Woche", "Jeden Montag neu."),
            )
        ],
    ),
    "news": Recipe(
        _("News from your feed"),
        _("When your RSS or Atom feed has a new item. Put in its address."),
        {"kind": "feed", "url": "https://www.example.com/feed.xml"},
        [{"send": {"validFor": {"hours": 12}}}],
        [
            (
                ('{{ item_title | "There is news" }}', '{{ item_summary | "Read it here." }}'),
                ('{{ item_title | "Es gibt Neues" }}', '{{ item_summary | "Lesen Sie es hier." }}'),
            )
        ],
    ),
}  # fmt: skip


@transaction.atomic
def use(recipe: Recipe, website: Website, made_by: Any = None) -> Rule:
    """A rule of this website, off, with templates of its own. Its name is new there."""
    name = _free_name(Rule, website, str(recipe.name))
    templates = [_make_template(recipe, website, name, number) for number in range(len(recipe.texts))]
    definition: dict[str, Any] = {"when": recipe.when, "steps": _steps(recipe, templates)}
    if recipe.unless:
        definition["unless"] = recipe.unless
    if recipe.condition:
        definition["if"] = recipe.condition
    rule = Rule(website=website, name=name, reentry=recipe.reentry)
    rules.save(rule, definition, made_by)
    return rule


def _steps(recipe: Recipe, templates: list[MessageTemplate]) -> list[Any]:
    rest = iter(templates)
    steps = []
    for step in recipe.steps:
        said, facts = (step, {}) if isinstance(step, str) else next(iter(step.items()))
        if said.startswith("send"):
            more = {"transactional": True} if said == NOW else {}
            steps.append({"send": {"template": next(rest).pk, **more, **facts}})
        else:
            steps.append(step)
    return steps


def _make_template(recipe: Recipe, website: Website, name: str, number: int) -> MessageTemplate:
    wanted = name if len(recipe.texts) == 1 else f"{name} {number + 1}"
    template = MessageTemplate.objects.create(
        website=website, name=_free_name(MessageTemplate, website, wanted), topic=recipe.topic
    )
    link = f"{website.origins[0]}/"
    for language, (title, message) in zip(("en", "de"), recipe.texts[number], strict=True):
        TemplateText.objects.create(
            template=template,
            language=language,
            standard=language == "en",
            title=title,
            message=message,
            link=link,
        )
    return template


def _free_name(model: Any, website: Website, name: str) -> str:
    taken = set(
        model.objects.filter(website=website, name__startswith=name[:90]).values_list("name", flat=True)
    )
    number, free = 1, name[:90]
    while free in taken:
        number += 1
        free = f"{name[:90]} ({number})"
    return free
