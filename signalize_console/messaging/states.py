"""The states of a push message and of a delivery, and the only transitions that there are.

One vocabulary for the admin, the API and the documentation.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MessageState(models.TextChoices):
    DRAFT = "draft", _("draft")
    AWAITING_APPROVAL = "awaiting_approval", _("awaiting approval")
    REPEATING = "repeating", _("repeating")
    SCHEDULED = "scheduled", _("scheduled")
    EXPANDING = "expanding", _("expanding")
    SENDING = "sending", _("sending")
    PAUSED = "paused", _("paused")
    HELD = "held", _("held")
    FINISHED = "finished", _("finished")
    CANCELLED = "cancelled", _("cancelled")


class DeliveryState(models.TextChoices):
    PENDING = "pending", _("pending")
    SENDING = "sending", _("sending")
    ACCEPTED = "accepted", _("accepted")
    GONE = "gone", _("gone")
    FAILED = "failed", _("failed")
    EXPIRED = "expired", _("expired")
    CANCELLED = "cancelled", _("cancelled")
    SUPPRESSED = "suppressed", _("suppressed")
    UNKNOWN = "unknown", _("unknown")


M, D = MessageState, DeliveryState

MESSAGE_TRANSITIONS: dict[MessageState, frozenset[MessageState]] = {
    M.DRAFT: frozenset({M.AWAITING_APPROVAL, M.REPEATING, M.SCHEDULED, M.SENDING}),
    M.AWAITING_APPROVAL: frozenset({M.DRAFT, M.REPEATING, M.SCHEDULED, M.CANCELLED}),
    M.REPEATING: frozenset({M.DRAFT, M.FINISHED, M.CANCELLED}),
    M.SCHEDULED: frozenset({M.DRAFT, M.EXPANDING, M.SENDING, M.HELD, M.CANCELLED}),
    M.HELD: frozenset({M.SCHEDULED, M.CANCELLED}),
    M.EXPANDING: frozenset({M.SENDING, M.PAUSED, M.CANCELLED}),
    M.SENDING: frozenset({M.EXPANDING, M.PAUSED, M.FINISHED, M.CANCELLED}),
    M.PAUSED: frozenset({M.EXPANDING, M.SENDING, M.CANCELLED}),
    M.FINISHED: frozenset({M.CANCELLED}),
    M.CANCELLED: frozenset(),
}

DELIVERY_TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    D.PENDING: frozenset({D.SENDING, D.EXPIRED, D.CANCELLED, D.SUPPRESSED}),
    D.SENDING: frozenset(
        {D.PENDING, D.ACCEPTED, D.GONE, D.FAILED, D.EXPIRED, D.CANCELLED, D.SUPPRESSED, D.UNKNOWN}
    ),
    D.ACCEPTED: frozenset(),
    D.GONE: frozenset(),
    D.FAILED: frozenset(),
    D.EXPIRED: frozenset(),
    D.CANCELLED: frozenset(),
    D.SUPPRESSED: frozenset(),
    D.UNKNOWN: frozenset(),
}

OPEN_DELIVERY_STATES = frozenset(state for state, following in DELIVERY_TRANSITIONS.items() if following)


def states_before(state: MessageState) -> list[MessageState]:
    """The states from which a push message may move to ``state``."""
    return [before for before, following in MESSAGE_TRANSITIONS.items() if state in following]
