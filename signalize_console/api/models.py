"""ApiKey: lets another server act for one website. Only a hash of it is kept."""

import datetime
import hashlib
import ipaddress
import secrets
from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from signalize_console.api.scopes import SENDING, Scope
from signalize_console.websites.models import Website

MARK = "sk"
PREFIX_CHARACTERS = 8
# The old key's last days after its successor was made.
GRACE = datetime.timedelta(days=7)


def default_scopes() -> list[str]:
    return [scope.value for scope in SENDING]


def validate_network(network: str) -> None:
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        raise ValidationError(
            _("%(network)s isn't a network. Write it like 192.0.2.0/24 or 2001:db8::/32."),
            params={"network": network},
        ) from error


class ApiKey(models.Model):
    """``sk_<prefix>_<secret>``: the prefix finds the row, the SHA-256 of the secret proves it.

    A fast hash is right for 256 random bits (OWASP ASVS 6.5.2).
    """

    website = models.ForeignKey(Website, models.CASCADE, related_name="api_keys", verbose_name=_("website"))
    name = models.CharField(_("name"), max_length=100, help_text=_("Which system uses it: shop, CRM, …"))
    scopes = ArrayField(
        models.CharField(max_length=32, choices=Scope.choices),
        default=default_scopes,
        verbose_name=_("scopes"),
        help_text=_("What it may do. Grant no more than its system needs."),
    )
    networks = ArrayField(
        models.CharField(max_length=43, validators=[validate_network]),
        default=list,
        blank=True,
        verbose_name=_("networks"),
        help_text=_("Where calls may come from, such as 192.0.2.0/24, separated by commas. Empty: anywhere."),
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"), default=6_000, validators=[MinValueValidator(1)]
    )
    prefix = models.CharField(_("prefix"), max_length=PREFIX_CHARACTERS, unique=True, editable=False)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    expires_at = models.DateTimeField(
        _("expires"), null=True, blank=True, help_text=_("It stops working then. Empty: never.")
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    successor = models.OneToOneField(
        "self", models.SET_NULL, null=True, editable=False, related_name="predecessor"
    )

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({MARK}_{self.prefix}_…)"

    def make_secret(self) -> str:
        """Sets prefix and hash, and returns the whole key: the only time that anyone sees it."""
        self.prefix = secrets.token_hex(PREFIX_CHARACTERS // 2)
        secret = secrets.token_urlsafe(32)
        self.secret_hash = hash_of(secret)
        return f"{MARK}_{self.prefix}_{secret}"

    @classmethod
    def issue(
        cls, website: Website, name: str, scopes: Sequence[str] = SENDING, *, by: str = "", **fields: object
    ) -> tuple["ApiKey", str]:
        """A new key of this website, and the text that its owner must keep."""
        key = cls(website=website, name=name, scopes=[*scopes], **fields)
        text = key.make_secret()
        key.save()
        key.note(KeyDeed.ISSUED, by)
        return key, text

    def is_alive(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @transaction.atomic
    def rotate(self, by: str = "") -> tuple["ApiKey", str] | None:
        """A successor that may do the same, and its text; this key lives on for a week: nothing breaks.

        None if it has a successor already, or is dead: at most two live at a time.
        """
        key = ApiKey.objects.select_for_update().get(pk=self.pk)
        if key.successor_id or not key.is_alive():
            return None
        kept = {
            name: getattr(key, name) for name in ("scopes", "networks", "requests_per_minute", "expires_at")
        }
        successor, text = ApiKey.issue(key.website, key.name, by=by, **kept)
        end = timezone.now() + GRACE
        key.expires_at = min(key.expires_at or end, end)
        key.successor = successor
        key.save(update_fields=["expires_at", "successor"])
        key.note(KeyDeed.ROTATED, by)
        return successor, text

    def revoke(self, by: str = "") -> bool:
        """At once and for good; False if it was already."""
        if not ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=Now()):
            return False
        self.note(KeyDeed.REVOKED, by)
        return True

    def note(self, deed: "KeyDeed", by: str) -> None:
        KeyRecord.objects.create(key=self, deed=deed, by=by)


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class KeyDeed(models.TextChoices):
    ISSUED = "issued", _("issued")
    ROTATED = "rotated", _("rotated")
    REVOKED = "revoked", _("revoked")


class KeyRecord(models.Model):
    """What was done to a key, when, and by whom. Only ever inserted."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="records", verbose_name=_("API key"))
    deed = models.CharField(_("deed"), max_length=16, choices=KeyDeed)
    by = models.CharField(_("by"), max_length=150, blank=True)
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("API key record")
        verbose_name_plural = _("API key records")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.key_id} {self.deed}"


class KeyUse(models.Model):
    """How often a key was used in the running minute. Unlogged: a crash of the database forgets it."""

    key = models.OneToOneField(ApiKey, models.CASCADE, primary_key=True)
    minute = models.DateTimeField()
    requests = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("API key use")

    def __str__(self) -> str:
        return f"{self.key_id}: {self.requests}"
