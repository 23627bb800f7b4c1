"""How ids stand in the addresses of pages; importing this module makes `<id:…>` known."""

from __future__ import annotations

from django.urls import register_converter


class IdConverter:
    """The id of a user or an agent. One that is called `new` stands in addresses as `NEW`, since
    `users/new` is the page on which they are added, and ids are looked up ignoring case."""

    regex = "[a-zA-Z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return "NEW" if value == "new" else value


register_converter(IdConverter, "id")
