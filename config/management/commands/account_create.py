from __future__ import annotations

from getpass import getpass
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actor import Operator
from accounts.errors import DomainError
from accounts.principals.services import account_create
from accounts.services import check_sign_in, person_enroll

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Make an account with its first admin, and print the admin's key (shown once)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account_id", help="1 to 64 letters, digits, '_' or '-'")
        parser.add_argument("--admin", required=True, help="user_id of the first admin")
        parser.add_argument("--name", default="", help="what people read; default: the id")
        parser.add_argument(
            "--policy",
            choices=["ff", "ft", "tf", "tt"],
            default="ff",
            help="isolate_user_scope_by_agent, isolate_agent_scope_by_user (ff)",
        )
        parser.add_argument(
            "--email",
            help="let this person sign in as the admin; asks for a "
            "password unless --password is given",
        )
        parser.add_argument(
            "--existing",
            action="store_true",
            help="the e-mail may have a sign-in already, and keeps its password: you know that it "
            "is theirs",
        )
        parser.add_argument("--password", help="better left out: the shell keeps what you type")

    def handle(self, *_args: Any, **options: Any) -> None:
        operator = Operator()
        password = options["password"]
        if options["email"] and password is None and not options["existing"]:
            password = getpass("Password for the new sign-in: ")
        try:
            if options["email"]:  # before the account is made, whose key is shown once
                check_sign_in(options["email"], password, existing=options["existing"])
            made = account_create(
                actor=operator,
                account_id=options["account_id"],
                admin_user_id=options["admin"],
                name=options["name"],
                isolate_user_scope_by_agent=options["policy"][0] == "t",
                isolate_agent_scope_by_user=options["policy"][1] == "t",
            )
            if options["email"]:
                person_enroll(
                    actor=operator,
                    email=options["email"],
                    name="",
                    password=password,
                    account=made.ref,
                    user=made.admin,
                    existing=options["existing"],
                )
        except DomainError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"Account {made.ref.account_id}, admin {made.admin_user_id}.")
        self.stdout.write(f"Admin key (shown once): {made.user_key}")
