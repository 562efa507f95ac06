"""Website: whose visitors are addressed, and with which VAPID key pair."""

import secrets
import string
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from signalize_console.webpush import vapid
from signalize_console.websites.opt_in import OptIn
from signalize_console.websites.opt_in_texts import ConsentText, Interest, OptInText
from signalize_console.websites.origins import validate_origin
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


class Website(models.Model):
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
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("website")
        verbose_name_plural = _("websites")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

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
