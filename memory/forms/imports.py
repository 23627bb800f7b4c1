"""Bringing in what another installation kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.principals.forms.choices import MAX_ID, offer_ids
from memory.importers.detect import AUTO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.files.uploadedfile import UploadedFile

FORMATS = (
    (AUTO, "Find out: look at the files and their tables"),
    ("jsonl", "Folder of JSONL files: one conversation a file, one message a line"),
    ("sqlite", "sessions.db, with brain.db: conversations and memories in SQLite"),
    ("openfang", "openfang.db: agents, sessions, memories and topics, versions 1 to 10"),
)
ACCEPTED = ".jsonl,.db,.db-wal,.sqlite,.sqlite-wal,.sqlite3,.sqlite3-wal,.zip"
NO_FILE = "Choose at least one file."


class ManyFilesInput(forms.ClearableFileInput):
    """Takes several files at once."""

    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """Several files; each has a name and is not empty."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        given = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFiles, self).clean(one, initial) for one in given or [None]]


class ImportForm(forms.Form):
    """What to read, and whose it is where the files do not say."""

    files = ManyFiles(  # type: ignore[assignment]  # Django moves fields out of the class
        label="Files",
        max_length=255,
        # A log may be empty, and so may a conversation.
        allow_empty_file=True,
        help_text="Several at once, or one .zip of the whole folder. Take a database together with"
        " the file -wal beside it, if there is one.",
        widget=ManyFilesInput(attrs={"accept": ACCEPTED}),
        error_messages={
            "required": NO_FILE,
            "invalid": NO_FILE,
            "missing": NO_FILE,
            "max_length": "The name of a file has at most %(max)d characters.",
        },
    )
    format = forms.ChoiceField(
        label="What it is",
        choices=FORMATS,
        initial=AUTO,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose one of the formats."},
    )
    user = forms.ChoiceField(
        label="Owner",
        required=False,
        help_text="Of sessions and memories that name no user.",
    )
    agent = forms.CharField(
        label="Agent",
        required=False,
        max_length=MAX_ID,
        help_text="Of those that name no agent. One that is new is registered.",
        widget=forms.TextInput(
            attrs={
                "list": "id_agent_known",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "default",
            }
        ),
    )

    def __init__(
        self, *args: Any, users: Sequence[str], agents: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offer_ids(
            self,
            "user",
            [one for one in users if one != "default"],
            nothing="default",
            missing="Choose one of the users in the list.",
        )
        self.fields["agent"].known = list(agents)  # type: ignore[attr-defined]
