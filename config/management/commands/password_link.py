from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Operator
from accounts.selectors import person_by_email
from accounts.services import password_link_make

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Print the link by which a person sets a new password; it works once, within a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whose password")
        parser.add_argument(
            "--remove-code",
            action="store_true",
            help="also stop asking for a code after the password, for who lost the authenticator",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        person = person_by_email(options["email"])
        if person is None:
            raise CommandError("Nobody signs in with this e-mail.")
        if not person.is_active:
            raise CommandError("This sign-in is closed.")
        link = password_link_make(
            actor=Operator(), person=person, remove_code=options["remove_code"]
        )
        self.stdout.write(f"{_site()}{link}")


def _site() -> str:
    """Where people reach the pages, as far as the environment tells."""
    if settings.SITE:
        return str(settings.SITE)
    if settings.ENV.https:
        return f"https://{settings.ALLOWED_HOSTS[0]}"
    return f"http://{settings.ENV.host}:{settings.ENV.port}"
