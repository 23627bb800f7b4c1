from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Operator
from accounts.errors import DomainError
from accounts.principals.operator.services import operator_create

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = (
        "Make a person who runs the installation at /operator/, and print their password (shown "
        "once). With --existing, who has a sign-in already becomes an operator and keeps theirs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="what they sign in with")
        parser.add_argument("--name", default="", help="what others read; default: the e-mail")
        parser.add_argument(
            "--password",
            help="default: one is made and printed; typed here, the shell keeps it",
        )

        parser.add_argument(
            "--existing",
            action="store_true",
            help="the e-mail may have a sign-in already: you know that it is theirs",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        password = options["password"] or token_urlsafe(12)
        try:
            is_new = operator_create(
                actor=Operator(),
                email=options["email"],
                name=options["name"],
                password=password,
                existing=options["existing"],
            )
        except DomainError as error:
            raise CommandError(error.message) from None
        email = options["email"].strip()
        if not is_new:
            self.stdout.write(f"{email} is an operator, with the password that they have.")
            return
        self.stdout.write(f"Operator {email}.")
        if not options["password"]:
            self.stdout.write(f"Password (shown once): {password}")
