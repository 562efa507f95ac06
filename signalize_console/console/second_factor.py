"""The second factor: a code from an app on one's phone (TOTP, RFC 6238), or a recovery code."""

import base64
from typing import Any

import django_otp
import segno
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from signalize_console.console.logins import note_session
from signalize_console.console.roles import Role

RECOVERY_CODES = 10
TOTP_DIGITS = 6


def device_of(user: Any) -> TOTPDevice | None:
    """The phone that the user has shown to have."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def is_required(user: Any) -> bool:
    """By the user's roles and ``SIGNALIZE_SECOND_FACTOR``; a superuser counts as an administrator."""
    wanted = set(settings.SECOND_FACTOR_ROLES)
    if not wanted:
        return False
    roles = {name.lower() for name in user.groups.values_list("name", flat=True)}
    roles |= {Role.ADMINISTRATOR.lower()} if user.is_superuser else set()
    return "all" in wanted or bool(roles & wanted)


def is_missing(request: HttpRequest) -> bool:
    """Whether this user has still to give a code, or to set up what gives them. Asked once a request."""
    if not hasattr(request, "second_factor_missing"):
        user: Any = request.user
        missing = not user.is_verified() and (device_of(user) is not None or is_required(user))
        request.second_factor_missing = missing  # type: ignore[attr-defined]
    return bool(request.second_factor_missing)  # type: ignore[attr-defined]


def new_device(user: Any) -> TOTPDevice:
    """The one that the user is about to set up; the same until they have."""
    device, _created = TOTPDevice.objects.get_or_create(user=user, confirmed=False, name="phone")
    return device


def qr_code(device: TOTPDevice) -> SafeString:
    """What the app on the phone reads, as an inline drawing."""
    drawing = segno.make(device.config_url, micro=False).svg_inline(scale=5, border=4, light="#fff")
    return mark_safe(drawing)  # noqa: S308 - made of squares


def secret_of(device: TOTPDevice) -> str:
    """For typing, in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def confirm(request: HttpRequest, device: TOTPDevice, code: str) -> list[str]:
    """The first code of a new device makes it the user's. The recovery codes, or nothing if it was wrong."""
    if not device.verify_is_allowed()[0] or not device.verify_token(code):
        return []
    TOTPDevice.objects.filter(user=request.user).exclude(pk=device.pk).delete()
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    device.confirmed = True
    accept(request, device)
    return new_recovery_codes(request.user)


@transaction.atomic
def verify(request: HttpRequest, code: str) -> bool:
    """A code of the phone, or a recovery code, which is used up. After a wrong one, one has to wait."""
    code = "".join(code.split()).lower()
    devices: Any = TOTPDevice.objects if len(code) == TOTP_DIGITS else StaticDevice.objects
    device = devices.select_for_update().filter(user=request.user, confirmed=True).first()
    if device is None or not device.verify_token(code):
        return False
    accept(request, device)
    return True


def accept(request: HttpRequest, device: Any) -> None:
    """This session has shown its second factor; it gets a new key, as at a login."""
    django_otp.login(request, device)
    request.session.cycle_key()
    note_session(request, request.user)


def new_recovery_codes(user: Any) -> list[str]:
    """Ten codes, each good once; the earlier ones end."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery")
    codes = [StaticToken.random_token().lower() for _code in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def remove(user: Any) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
