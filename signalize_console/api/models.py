"""ApiKey: lets another server act for one website. Only a hash of it is kept."""

import hashlib
import hmac
import secrets

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.websites.models import Website

MARK = "sk"
PREFIX_CHARACTERS = 8


class ApiKey(models.Model):
    """``sk_<prefix>_<secret>``: the prefix finds the row, the SHA-256 of the secret proves it.

    A fast hash is right for 256 random bits (OWASP ASVS 6.5.2).
    """

    website = models.ForeignKey(Website, models.CASCADE, related_name="api_keys", verbose_name=_("website"))
    name = models.CharField(_("name"), max_length=100, help_text=_("Which system uses it: shop, CRM, …"))
    prefix = models.CharField(_("prefix"), max_length=PREFIX_CHARACTERS, unique=True, editable=False)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

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
        self.secret_hash = hashlib.sha256(secret.encode()).digest()
        return f"{MARK}_{self.prefix}_{secret}"

    @classmethod
    def issue(cls, website: Website, name: str) -> tuple["ApiKey", str]:
        """A new key of this website, and the text that its owner must keep."""
        key = cls(website=website, name=name)
        text = key.make_secret()
        key.save()
        return key, text

    @classmethod
    def find(cls, text: str) -> "ApiKey | None":
        """The living key that this text is, or None."""
        mark, _separator, rest = text.partition("_")
        prefix, _separator, secret = rest.partition("_")
        if mark != MARK or not secret or not (text.isascii() and text.isprintable()):
            return None
        key = cls.objects.select_related("website").filter(prefix=prefix, revoked_at=None).first()
        given = hashlib.sha256(secret.encode()).digest()
        return key if key and hmac.compare_digest(given, bytes(key.secret_hash)) else None
