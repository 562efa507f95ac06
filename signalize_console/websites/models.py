"""Website: whose visitors are addressed, and with which VAPID key pair."""

import secrets
import string
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from signalize_console.webpush import vapid
from signalize_console.websites.opt_in import OptIn
from signalize_console.websites.opt_in_texts import ConsentText, Interest, OptInText
from signalize_console.websites.origins import validate_origin
from signalize_console.websites.safeguards import Safeguards
from signalize_console.websites.sealing import seal, unseal

__all__ = ["ConsentText", "Interest", "OptIn", "OptInText", "VapidKey", "Website"]

SECURE_CODE = r"^[0-9a-zA-Z]{3,12}$"


def make_secure_code() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(8))


def validate_contact(contact: str) -> None:
    try:
        vapid.check_subject(contact)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class Cap(models.PositiveSmallIntegerField):
    """The most marketing messages for one recipient in a period; none: as many as there are."""

    def __init__(self, *args: Any, **options: Any) -> None:
        limits = [MinValueValidator(1), MaxValueValidator(100)]
        super().__init__(*args, **{"null": True, "blank": True, "validators": limits, **options})


class Website(Safeguards):
    """One site. Its secure code stands in the page; its origins may talk to us from a browser."""

    name = models.CharField(_("name"), max_length=100)
    secure_code = models.CharField(
        _("secure code"),
        max_length=12,
        unique=True,
        default=make_secure_code,
        validators=[RegexValidator(SECURE_CODE, _("3 to 12 letters and digits."))],
        help_text=_("Stands in the page, in data-secure-code."),
    )
    origins = ArrayField(
        models.CharField(max_length=255, validators=[validate_origin]),
        verbose_name=_("allowed origins"),
        help_text=_(
            "Exact origins of the site, separated by commas: https://www.example.com, https://example.com"
        ),
    )
    contact = models.CharField(
        _("contact"),
        max_length=255,
        validators=[validate_contact],
        help_text=_(
            "mailto: or https: address that push services may turn to, such as mailto:web@example.com. "
            "Apple refuses messages when it isn't real."
        ),
    )
    verification_required = models.BooleanField(
        _("only signed customer ids"),
        default=False,
        db_default=False,
        help_text=_(
            "Transactional messages then reach only recipients whose customer id your backend signed."
        ),
    )
    sealed_identity_secret = models.BinaryField(null=True, editable=False)
    # How often and when marketing may come; deliveries/caps.py keeps to it, whoever sends.
    cap_hour = Cap(_("most marketing messages in an hour"))
    cap_day = Cap(_("in a day"))
    cap_week = Cap(_("in a week"))
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(
        _("until"),
        null=True,
        blank=True,
        help_text=_("On each recipient's own clock. Marketing waits until then; transactional messages go."),
    )
    holdout = models.PositiveSmallIntegerField(
        _("control group, in percent"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(50)],
        help_text=_(
            "So many recipients, always the same, get no marketing: what it brings is seen beside them."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("website")
        verbose_name_plural = _("websites")
        ordering = ["name"]
        permissions = [("export_website", _("Can export everything of a website, with its secrets"))]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValidationError({"quiet_until": _("Give both times of the quiet hours, or neither.")})

    def allows(self, origin: str | None) -> bool:
        """Whether a browser page of ``origin`` may act for this website: exact comparison, no patterns."""
        return origin is not None and origin in self.origins

    @property
    def vapid_key(self) -> "VapidKey":
        """The key that new subscriptions are made with."""
        return self.vapid_keys.get(retired_at=None)

    def make_vapid_key(self) -> "VapidKey":
        public_key, private_key = vapid.generate_keys()
        return self.vapid_keys.create(public_key=public_key, sealed_private_key=seal(private_key, public_key))

    def keep_vapid_key(self, private_key: bytes) -> tuple["VapidKey", bool]:
        """A key that subscriptions elsewhere were made with; True if it is new here. New ones aren't.

        Raises ValueError where another website has it.
        """
        public_key = vapid.public_key_of(private_key)
        known = VapidKey.objects.filter(public_key=public_key).first()
        if known and known.website_id != self.pk:
            raise ValueError("This VAPID key belongs to another website of this console.")
        if known:
            return known, False
        sealed = seal(private_key, public_key)
        return self.vapid_keys.create(
            public_key=public_key, sealed_private_key=sealed, retired_at=timezone.now()
        ), True

    @transaction.atomic
    def rotate_vapid_key(self) -> "VapidKey":
        """From now on browsers subscribe with a new key. Those with an old one are sent to as before, and
        move at their next visit: nobody is lost."""
        Website.objects.select_for_update().get(pk=self.pk)
        self.vapid_keys.filter(retired_at=None).update(retired_at=Now())
        return self.make_vapid_key()

    @property
    def identity_secret(self) -> bytes | None:
        """What the site's backend signs customer ids with, or None before there is one."""
        sealed = self.sealed_identity_secret
        return unseal(bytes(sealed), f"website {self.pk}") if sealed else None

    def make_identity_secret(self) -> str:
        """A new secret, to be shown once; signatures made with an earlier one count no more."""
        secret = secrets.token_urlsafe(32)
        self.sealed_identity_secret = seal(secret.encode(), f"website {self.pk}")
        self.save(update_fields=["sealed_identity_secret"])
        return secret

    @classmethod
    def establish(cls, **fields: object) -> Self:
        """A new website with its first VAPID key."""
        website = cls.objects.create(**fields)
        website.make_vapid_key()
        return website


class VapidKey(models.Model):
    """An application server key pair (RFC 8292). A subscription works only with the one it was made with."""

    website = models.ForeignKey(Website, models.PROTECT, related_name="vapid_keys", verbose_name=_("website"))
    public_key = models.CharField(_("public key"), max_length=87, unique=True)
    sealed_private_key = models.BinaryField()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("VAPID key")
        verbose_name_plural = _("VAPID keys")
        constraints = [
            models.UniqueConstraint(
                fields=["website"], condition=models.Q(retired_at=None), name="one_current_vapid_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.public_key[:12]}…"

    @property
    def private_key(self) -> bytes:
        return unseal(bytes(self.sealed_private_key), self.public_key)

    @property
    def is_pair(self) -> bool:
        """Whether its halves match. Raises ImproperlyConfigured if the private one can't be opened."""
        return vapid.public_key_of(self.private_key) == self.public_key
