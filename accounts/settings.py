"""What an account's admins may set, with defaults and limits (domain.md, Account)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accounts.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

# PostgreSQL's own text search configurations; messages and memories are stemmed by one of them.
Language = Literal[
    "simple", "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek",
    "hungarian", "indonesian", "irish", "italian", "norwegian", "portuguese", "romanian",
    "russian", "spanish", "swedish", "turkish",
]  # fmt: skip


class AccountSettings(BaseModel):
    """Settings of one account. What is not set has the default named here."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    agent_registration: Literal["open", "admins"] = Field(
        "open", description="Who may name an agent that is not registered yet."
    )
    agent_memory_writers: Literal["bound_keys", "anyone"] = Field(
        "bound_keys", description="Whose keys may write memories of an agent."
    )
    shared_inbox: bool = Field(
        False, description="Whether senders may reach an agent whose session scope is global."
    )
    contact_consent: Literal["opt_in", "opt_out"] = Field(
        "opt_in", description="Whether something is kept about a contact that did not agree."
    )
    secret_policy: Literal["redact", "refuse", "off"] = Field(
        "redact", description="What happens to keys, card numbers and passwords in memories."
    )
    context_tokens: int = Field(
        32_000,
        ge=1_000,
        le=10_000_000,
        description="Live tokens beyond which a session is archived.",
    )
    language: Language = Field("english", description="Of new messages and memories, for search.")
    session_idle_hours: int = Field(
        0, ge=0, le=87_600, description="After which get-or-create begins anew; 0: never."
    )
    retention_days: int = Field(
        0, ge=0, le=36_500, description="How long ended sessions are kept; 0: for ever."
    )
    monthly_token_budget: int = Field(
        0, ge=0, le=10**12, description="Model tokens a month; 0: no budget."
    )
    max_users: int = Field(10_000, ge=2, le=1_000_000, description="Users of the account.")

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """From the account's row; what a later version no longer knows is left out."""
        return cls.model_validate({k: v for k, v in kept.items() if k in cls.model_fields})

    def changed(self, values: Mapping[str, Any]) -> AccountSettings:
        """These settings with some values replaced.

        Raises:
            InvalidArgument: an unknown name, a wrong type, or a value out of range.
        """
        try:
            return AccountSettings.model_validate({**self.model_dump(), **values})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            raise InvalidArgument(f"{name}: {first['msg']}.", field=name) from None

    def overrides(self) -> dict[str, Any]:
        """What differs from the defaults: all that the row keeps."""
        default = AccountSettings().model_dump()
        return {k: v for k, v in self.model_dump().items() if v != default[k]}
