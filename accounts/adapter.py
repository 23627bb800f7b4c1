"""How allauth behaves here: persons come by invitation or from an operator, never by signing up."""

from __future__ import annotations

import base64
import logging
import secrets
from typing import TYPE_CHECKING, Any, ClassVar

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes
from qrcode.image.svg import SvgPathFillImage

from accounts import services

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import Person

log = logging.getLogger("bailiwick.sign_in")


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail and password do not match.",
        "enter_current_password": "This is not your present password.",
        "incorrect_password": "This is not your password.",
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def set_password(self, user: Person, password: str) -> None:
        """As everywhere, a new password ends the sign-ins that were made by the old one."""
        services.password_set(person=user, password=password)

    def add_message(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing: the page that follows says what was done, in our words."""


class CodeAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Codes after the password. Their secrets are sealed under a key made from the secret key."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not right, or was used already.",
    }

    def build_totp_svg(self, url: str) -> str:
        """The picture to scan, with a white ground of its own: in the dark theme, too."""
        drawn = qrcode.make(url, image_factory=SvgPathFillImage)
        return str(drawn.to_string(encoding="unicode"))

    def encrypt(self, text: str) -> str:
        return _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _seal().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # The secret key was replaced. No code fits any more: an operator takes it away.
            log.warning("a code's secret cannot be read under the present secret key")
            return base64.b32encode(secrets.token_bytes(20)).decode()


def _seal() -> MultiFernet:
    """Encrypts with the secret key in force; opens also what earlier ones sealed."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(secret: str | bytes) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"bailiwick.codes")
    return base64.urlsafe_b64encode(hkdf.derive(force_bytes(secret)))
