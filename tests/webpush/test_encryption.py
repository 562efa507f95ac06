"""RFC 8291, to the byte, and the keys that strangers send."""

import base64

import http_ece
import pytest
import pywebpush
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from signalize_console.webpush.encryption import (
    MAX_PLAINTEXT,
    BadSubscriptionKeys,
    PayloadTooLarge,
    decode_keys,
    encrypt,
)
from signalize_console.webpush.vapid import generate_keys

# The example of RFC 8291, section 5 and appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SERVER_PRIVATE_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_it_encrypts_the_rfcs_example_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    private_key = ec.derive_private_key(int.from_bytes(decode(SERVER_PRIVATE_KEY), "big"), ec.SECP256R1())
    monkeypatch.setattr(pywebpush.ec, "generate_private_key", lambda *_arguments: private_key)
    monkeypatch.setattr(http_ece.os, "urandom", lambda _count: decode(SALT))

    assert encrypt(PLAINTEXT, P256DH, AUTH) == decode(BODY)


def test_what_it_encrypts_can_be_read_with_the_browsers_keys() -> None:
    public_key, private_bytes = generate_keys()
    private_key = ec.derive_private_key(int.from_bytes(private_bytes, "big"), ec.SECP256R1())

    body = encrypt("größe ✓".encode(), public_key, AUTH)

    read = http_ece.decrypt(body, private_key=private_key, auth_secret=decode(AUTH), version="aes128gcm")
    assert read.decode() == "größe ✓"


def test_the_largest_plaintext_fills_one_record() -> None:
    assert len(encrypt(b"x" * MAX_PLAINTEXT, P256DH, AUTH)) == 4096
    with pytest.raises(PayloadTooLarge):
        encrypt(b"x" * (MAX_PLAINTEXT + 1), P256DH, AUTH)


def test_it_never_uses_a_salt_or_a_key_twice() -> None:
    first, second = (encrypt(PLAINTEXT, P256DH, AUTH) for _ in range(2))

    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


OFF_CURVE = base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).rstrip(b"=").decode()
COMPRESSED = base64.urlsafe_b64encode(b"\x02" + decode(P256DH)[1:33]).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "p256dh", ["", "AAAA", OFF_CURVE, COMPRESSED, P256DH + "AA", P256DH[:-1] + "+", "ä" * 87, "A" * 87]
)
def test_it_refuses_keys_that_are_no_point_on_the_curve(p256dh: str) -> None:
    with pytest.raises(BadSubscriptionKeys):
        decode_keys(p256dh, AUTH)
    with pytest.raises(BadSubscriptionKeys):
        encrypt(PLAINTEXT, p256dh, AUTH)


@pytest.mark.parametrize("auth", ["", "AA", AUTH[:-2], AUTH + "AAAA", AUTH[:-1] + "=", "é" * 22])
def test_it_refuses_an_auth_secret_that_is_not_16_bytes(auth: str) -> None:
    with pytest.raises(BadSubscriptionKeys):
        decode_keys(P256DH, auth)
    with pytest.raises(BadSubscriptionKeys):
        encrypt(PLAINTEXT, P256DH, auth)


def test_it_takes_the_padding_that_some_browsers_send() -> None:
    assert decode_keys(P256DH + "=", AUTH + "==") == (decode(P256DH), decode(AUTH))


@given(st.binary(max_size=200), st.binary(max_size=64))
def test_it_takes_bytes_of_a_point_and_16_others_and_nothing_else(point: bytes, secret: bytes) -> None:
    texts = [base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in (point, secret)]
    try:
        taken = decode_keys(*texts)
    except BadSubscriptionKeys:
        return
    assert (len(taken[0]), len(taken[1])) == (65, 16)
