"""Messages' parts as pure functions: their shape, their plain text, their size.

Known types: `text{text}`, `context{uri, context_type, abstract}`, `tool{tool_id, tool_name,
tool_input, tool_output, tool_status, duration_ms, …}`. Unknown types are kept as they are.
"""

from __future__ import annotations

import json
from typing import Any

from accounts.errors import InvalidArgument, Malformed

CHARACTERS_PER_TOKEN = 4
Part = dict[str, Any]


def parts_of(content: str | None, parts: list[Part] | None) -> list[Part]:
    """The parts to keep: those sent, or the content as one text part.

    Raises:
        Malformed: neither was sent, or a part has no type, or a text part no text.
        InvalidArgument: there is nothing in it but white space.
    """
    if parts is None:
        if content is None:
            raise Malformed(
                "A message needs content or parts.",
                {"loc": ["body", "content"], "msg": "Field required", "type": "missing"},
            )
        parts = [{"type": "text", "text": content}]
    for number, part in enumerate(parts):
        _check_shape(number, part)
    if not any(part["type"] != "text" or part["text"].strip() for part in parts):
        raise InvalidArgument("A message must not be blank.", field="content")
    return parts


def text_of(parts: list[Part]) -> str:
    """Plain text of the parts: what was said. Tool calls and injected context are not said."""
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def tokens_of(parts: list[Part]) -> int:
    """Estimated tokens: characters / 4, rounded up; parts other than text count as JSON."""
    characters = sum(
        len(part["text"]) if part["type"] == "text" else len(json.dumps(part, ensure_ascii=False))
        for part in parts
    )
    return -(-characters // CHARACTERS_PER_TOKEN)


def _check_shape(number: int, part: Part) -> None:
    if not isinstance(part.get("type"), str):
        raise _wrong(number, "type")
    if part["type"] == "text" and not isinstance(part.get("text"), str):
        raise _wrong(number, "text")


def _wrong(number: int, field: str) -> Malformed:
    return Malformed(
        f"parts[{number}].{field} must be a text.",
        {
            "loc": ["body", "parts", number, field],
            "msg": "Input should be a valid string",
            "type": "string_type",
        },
    )
