"""A test to one browser, to see whether messages arrive there."""

from django.utils import translation
from django.utils.translation import gettext as _

from signalize_console.deliveries import outbox
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.recipients.models import Subscription

TTL = 3600


def send_test(subscription: Subscription, *, by: str) -> outbox.Accepted:
    """In the visitor's language. Raises NobodyReachable when the subscription has ended."""
    recipient, website = subscription.recipient, subscription.website
    # It names nobody: it may go where the website demands signed customer ids of what is transactional.
    signed = recipient.customer_verified or not website.verification_required
    message = PushMessage(website=website, transactional=signed, urgency="high", ttl=TTL, sent_by=by)
    message.test = True
    with translation.override(recipient.language or "en"):
        text = PushMessageText(
            language="en",
            standard=True,
            title=_("It works"),
            message=_("This is a test. Messages from %s look like this.") % website.name,
            link=f"{website.origins[0]}/",
        )
    return outbox.send(message, [text], [recipient], only=subscription)
