"""``manage.py send WEBSITE``: sends a push message from a script, as the API does."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from signalize_console.audiences.models import Segment
from signalize_console.deliveries import outbox
from signalize_console.messaging.models import MessageTemplate, PushMessage, PushMessageText
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

REFUSED = 1
WRONG = 2
# What makes a repeat the same; all else says only how it is told.
SAID = [
    *("to", "customer", "segment", "everyone", "marketing"),
    *("template", "title", "message", "link", "language", "data"),
]


class Command(BaseCommand):
    help = (
        "Accepts a push message to named recipients, a segment, or everyone who opted in. When it exits "
        "with 0 the message stands in the database, and is sent whatever happens. 1: nobody is reachable, or "
        "it isn't accepted; 2: something that was given is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("website", help="the website's secure code")
        parser.add_argument(
            "--to", action="append", default=[], metavar="ID", help="a recipient id; may be repeated"
        )
        parser.add_argument(
            "--customer", action="append", default=[], metavar="ID", help="a customer id; may be repeated"
        )
        parser.add_argument("--segment", metavar="NAME", help="all in this segment")
        parser.add_argument("--everyone", action="store_true", help="everyone who opted in")
        parser.add_argument("--template", metavar="NAME", help="the content, instead of --title")
        parser.add_argument("--title")
        parser.add_argument("--message", default="")
        parser.add_argument("--link", default="", help="what a click opens; else the website's first origin")
        parser.add_argument("--language", default="en")
        parser.add_argument("--data", type=values, default={}, metavar="JSON", help="values for placeholders")
        parser.add_argument("--marketing", action="store_true", help="to named recipients: it can wait")
        parser.add_argument("--idempotency-key", default="", metavar="KEY", help="a repeat sends nothing")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def handle(self, *_args: Any, as_json: bool, **options: Any) -> None:
        website = Website.objects.filter(secure_code=options["website"]).first()
        if website is None:
            raise CommandError(f"No website has the secure code {options['website']!r}.", returncode=WRONG)
        message, texts = content(website, options)
        named = recipients(website, options)
        message.transactional = named is not None and not options["marketing"]
        asked = [options[name] for name in SAID]
        try:
            accepted = outbox.send(
                message,
                texts,
                named,
                segment=segment(website, options["segment"]),
                idempotency_key=options["idempotency_key"],
                fingerprint=["send", asked],
            )
        except outbox.NotAccepted as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        except (outbox.KeyReused, outbox.InFlight) as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        self.stdout.write(json.dumps(facts(accepted)) if as_json else in_words(accepted))


def values(text: str) -> dict[str, Any]:
    given = json.loads(text)
    if not isinstance(given, dict):
        raise ValueError
    return given


def content(website: Website, options: dict[str, Any]) -> tuple[PushMessage, list[PushMessageText]]:
    message = PushMessage(website=website, sent_by="manage.py send", data=options["data"])
    if (options["title"] is None) == (options["template"] is None):
        raise CommandError("Give either --title or --template.", returncode=WRONG)
    if options["template"] is not None:
        template = MessageTemplate.objects.filter(website=website, name=options["template"]).first()
        if template is None:
            raise CommandError(f"There is no template {options['template']!r}.", returncode=WRONG)
        return message, message.use(template)
    text = PushMessageText(
        language=options["language"],
        standard=True,
        title=options["title"],
        message=options["message"],
        link=options["link"] or f"{website.origins[0]}/",
    )
    try:
        text.clean_fields(exclude=["push_message"])
    except ValidationError as error:
        said = "; ".join(f"--{name}: {' '.join(some)}" for name, some in error.message_dict.items())
        raise CommandError(said, returncode=WRONG) from error
    return message, [text]


def recipients(website: Website, options: dict[str, Any]) -> list[Recipient] | None:
    """Who is named; None for a segment or everyone."""
    client_ids, customer_ids = options["to"], options["customer"]
    ways = [bool(client_ids or customer_ids), options["segment"] is not None, options["everyone"]]
    if sum(ways) != 1:
        raise CommandError("Give one of: --to or --customer, --segment, --everyone.", returncode=WRONG)
    if not ways[0]:
        return None
    if len(client_ids) + len(customer_ids) > outbox.MAX_RECIPIENTS:
        raise CommandError(f"At most {outbox.MAX_RECIPIENTS} at once.", returncode=WRONG)
    named = Q(client_id__in=client_ids) | (Q(customer_id__in=customer_ids) & ~Q(customer_id=""))
    found = list(Recipient.objects.filter(named, website=website)[: outbox.MAX_RECIPIENTS + 1])
    if not found:
        raise CommandError("None of these recipients is known on this website.", returncode=REFUSED)
    return found


def segment(website: Website, name: str | None) -> Segment | None:
    if name is None:
        return None
    found = Segment.objects.filter(website=website, name=name).first()
    if found is None:
        raise CommandError(f"There is no segment {name!r}.", returncode=WRONG)
    return found


def facts(accepted: outbox.Accepted) -> dict[str, Any]:
    return {
        "messageId": accepted.message_id,
        "deliveries": accepted.deliveries,
        "unreachable": len(accepted.unreachable),
        "replayed": accepted.replayed,
    }


def in_words(accepted: outbox.Accepted) -> str:
    if accepted.replayed:
        return f"Push message {accepted.message_id} was accepted before; nothing more is sent."
    if accepted.deliveries is None:
        return f"Push message {accepted.message_id} is accepted; its audience is being made."
    silent = f"; {len(accepted.unreachable)} have no active subscription" if accepted.unreachable else ""
    return f"Push message {accepted.message_id} is accepted: {accepted.deliveries} deliveries{silent}."
