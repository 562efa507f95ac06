"""Why a delivery is as it is, in plain words, with what to do about it."""

from django.utils.translation import gettext_lazy as _

from signalize_console.audiences import words

SERVICES: dict[str, str] = {name: word for name, word in words.SERVICES.items() if name != "other"}
REASONS = {
    "": "",
    "gone_too_early": _("The push service doesn't know this young subscription yet. It is tried again by itself."),
    "unsubscribed": _("The visitor took the permission back. Nothing to do: they can opt in again."),
    "went_away": _("The browser was away for too long. Nothing to do: they can opt in again."),
    "device_throttled": _("Too many messages to this one browser in a short time. It is tried again by itself."),
    "shutting_down": _("The push service restarts. It is tried again by itself."),
    "try_at_once": _("The push service asks for one more try at once."),
    "bad_bridge": _("The push service has a fault. It is tried again by itself."),
    "bad_encryption": _("The push service can't read the message. Please report it: it is our fault."),
    "bad_router": _("The push service can't read the message. Please report it: it is our fault."),
    "bad_urgency": _("The push service refuses the urgency."),
    "bad_authorization": _("The push service refuses our signature. Please report it: it is our fault."),
    "method_not_allowed": _("The push service refuses our request. Please report it: it is our fault."),
    "length_required": _("The push service refuses our request. Please report it: it is our fault."),
    "not_confirmed": _("The push service didn't say what it did with it; it may have taken the message."),
    "no_answer": _("The push service didn't answer; it may have taken the message."),
    "stopped_after_sending": _("The message was stopped while it was on its way; it may have arrived."),
    "poison": _("Workers died five times while sending it, so it is not tried again. Please report it."),
    "subscription_quarantined": _("The push service said that the subscription has ended, before it could be sent."),
    "expired": _("The visitor took the permission back or the browser renewed itself. Nothing to do: they can opt in again."),
    "not_found": _("The push service no longer knows this browser. Nothing to do: they can opt in again."),
    "throttled": _("The push service asks us to slow down. It is tried again by itself."),
    "dropped": _("Windows dropped the message, usually because notifications are off. It is tried again by itself."),
    "timeout": _("The push service was too slow. It is tried again by itself."),
    "server_error": _("The push service has a fault. It is tried again by itself."),
    "bad_gateway": _("The push service has a fault. It is tried again by itself."),
    "unavailable": _("The push service is busy. It is tried again by itself."),
    "gateway_timeout": _("The push service has a fault. It is tried again by itself."),
    "invalid_endpoint": _("Google refuses this endpoint for the moment. It is tried again by itself."),
    "vapid_key_mismatch": _(
        "This browser subscribed with another VAPID key. It subscribes anew at its next visit; until then "
        "the message waits."
    ),
    "unauthorized": _("The push service refuses our signature. Check the website's contact and this server's clock."),
    "forbidden": _("The push service refuses our signature. Check the website's contact and this server's clock."),
    "bad_jwt": _("The push service refuses our signature. Check the website's contact and this server's clock."),
    "bad_vapid_key": _("The push service refuses our VAPID key. Was the database restored from elsewhere?"),
    "bad_path": _("Apple doesn't know this address. Report it: it is our fault."),
    "domain_blocked": _("Microsoft has blocked this site's domain. Ask them to lift it."),
    "too_large": _("The message is too large. Shorten texts and links."),
    "bad_topic": _("The push service refuses the topic. Use up to 32 letters and digits."),
    "bad_ttl": _("The push service refuses the time to live."),
    "bad_request": _("The push service didn't understand the message. Its answer stands with the delivery."),
    "redirect": _("The push service answered with a redirect, which is never followed."),
    "unexpected_status": _("The push service gave an answer that nobody knows. It stands with the delivery."),
    "name_not_resolved": _("The push service's name could not be looked up. Check this server's DNS."),
    "no_connection": _("No connection to the push service. Check this server's way to the internet, port 443."),
    "connection_timeout": _("No connection to the push service. Check this server's way to the internet, port 443."),
    "certificate_refused": _("The push service's certificate is not to be trusted. Is a proxy in between?"),
    "tls_failed": _("No secure connection to the push service. Is a proxy in between?"),
    "address_refused": _("The push service's name leads to a private address. Nothing was sent there."),
    "too_late": _("The worker was held up too long to send it safely. It is tried again by itself."),
    "timeout_after_sending": _("The push service didn't answer; it may have taken the message."),
    "broken_after_sending": _("The connection broke before the answer; the push service may have taken the message."),
    "worker_lost": _("The worker that sent it died. A marketing message is then not repeated: it may have arrived."),
    "valid_until": _("Its time was over before it could be sent."),
    "value_missing": _(
        "A placeholder had no value for this recipient and no fallback. Give it one, in the text or by API."
    ),
    "message_cancelled": _("Somebody cancelled the message."),
    "subscription_unsubscribed": _("The visitor unsubscribed before it could be sent."),
    "subscription_expired": _("The browser's subscription ended before it could be sent."),
    "subscription_erased": _("The visitor was erased before it could be sent."),
    "paused_by_visitor": _("The visitor paused messages for a week. Transactional ones still go."),
    "customer_not_verified": _("The site's backend has not signed whose browser this is, and the website demands that."),
    "other_person": _("Somebody else uses this browser now."),
    "given_up": _("It was tried for 3 days. Tell it once more when the receiver is well again."),
    "secret": _("The webhook's secret can't be opened. Set the key-encryption key that it was made with."),
    "segment_broken": _("The segment has a condition that this version doesn't know. Cancel the message and send it anew."),
    "segment_too_slow": _(
        "The segment takes too long to find its recipients. Resume later, or cancel and use fewer conditions."
    ),
    "canary_gone": _(
        "The test went badly: too many of its subscriptions are gone. If that surprises you, don't resume before you know why."
    ),
    "canary_refused": _(
        "The test went badly: the push services refused or put off too much of it. The reasons stand below; resume when they are mended."
    ),
    "canary_lost": _(
        "The test went badly: too much of it was gone or refused. The reasons stand below; resume when they are mended."
    ),
    "canary_closed": _(
        "The test went badly: too many closed it without a click. Cancel and say it better, or resume to send it to all the same."
    ),
    "canary_unsubscribed": _(
        "The test went badly: too many unsubscribed after it. Cancel and say it better, or to fewer people, or resume to send it to all the same."
    ),
    "canary_unanswered": _("The test was never sent, so nothing is known. Do the workers run? Resume to send it to all."),
    "run_not_accepted": _(
        "The last run could not be sent: its texts are too large, or its segment can't be used any more. Take it back to draft and mend it."
    ),
    "run_outgrown": _(
        "The last run was not sent: far more would get it than were reviewed, or so many that a second person must approve. Take it back to draft, and review it anew."
    ),
    "frequency_cap": _("The recipient had as many messages lately as the website allows. Transactional ones still go."),
    "quiet_hours": _("It is night at the recipient's. It is sent when the website's quiet hours end."),
    "holdout": _("The recipient is in the control group, which gets no marketing. See the website's settings."),
    "wait": _("It waits, as the automation says."),
    "wait_until": _("It waits for the time of day, on the recipient's clock."),
    "wait_event": _("It waits for an event, or until the time for it is over."),
    "event_came": _("The event that it waited for has come."),
    "yields": _("A more important automation sends to this recipient first. It follows in a minute."),
    "restored": _(
        "The database was restored or copied: it may have gone out since the backup. Resume or release it if it hasn't, else cancel or drop it."
    ),
    "late": _("It came later than the automation allows, after an outage. Release or drop it on the automation's page."),
    "released": _("Somebody released it although it was late."),
    "by_hand": _("Somebody dropped it."),
    "unless": _("The event came that ends this automation."),
    "timed_out": _("The event that it waited for did not come in time."),
    "changed": _("The date was moved, or the visitor came back."),
    "restarted": _("The same thing happened again, and the automation began anew."),
    "switched_off": _("The automation was switched off while it waited."),
    "not_included": _("When its time had come, the conditions didn't hold any more."),
    "condition_broken": _("The condition can't be evaluated. See the automation's page."),
    "template_gone": _("The template was deleted. Choose another one on the automation's page."),
    "unreachable": _("The recipient has no active subscription any more."),
    "not_accepted": _("The message can't be sent as it is. See the automation's page."),
    "internal_error": _("The console could not prepare it. The worker's log says why; please report it."),
    "our_key": _("The website's VAPID key can't be opened. Set the key-encryption key that it was made with."),
    "BadSubscriptionKeys": _("The browser's keys are broken. It must subscribe anew."),
    "EndpointRefused": _("The endpoint isn't at a push service that this installation talks to."),
    "PayloadTooLarge": _("The message is too large. Shorten texts and links."),
}  # fmt: skip


def in_words(reason: str) -> str:
    """The sentence for a reason; a reason without one is shown as it is."""
    return str(REASONS.get(reason, reason))


def service_name(push_service: str) -> str:
    """Whose push service it is, within a sentence."""
    return SERVICES.get(push_service) or str(_("the push service"))
