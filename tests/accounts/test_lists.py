"""What all lists share: addresses with and without cursors and filters, and the line above."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.template.loader import render_to_string
from django.test import RequestFactory

from accounts.lists import active_filters, address, filter_context, neighbours


def asked(query: str = ""):
    return RequestFactory().get(f"/a/north/things?{query}")


class Plain(forms.Form):
    q = forms.CharField(required=False)
    kind = forms.CharField(required=False)


class Worded(Plain):
    def filter_words(self, name, value):
        return f"the {name}", value.upper()


def valid(form_class, query):
    form = form_class(QueryDict(query))
    assert form.is_valid()
    return form


def test_an_address_keeps_the_filters_and_begins_anew():
    request = asked("q=a%26b&kind=x&older=there&newer=here")
    assert address(request) == "/a/north/things?q=a%26b&kind=x"
    assert address(request, "q") == "/a/north/things?kind=x"
    assert address(request, "q", "kind") == "/a/north/things"
    assert address(request, path="/file") == "/file?q=a%26b&kind=x"


def test_neighbours_hold_one_cursor_each():
    found = neighbours(asked("kind=x&older=there"), "on", None)
    assert found == {"older_url": "/a/north/things?kind=x&older=on", "newer_url": None}
    found = neighbours(asked("kind=x&older=there"), None, "back")
    assert found == {"older_url": None, "newer_url": "/a/north/things?kind=x&newer=back"}


def test_filters_that_are_set_say_so_in_the_words_of_their_form():
    query = "q=tea&older=there"
    [plain] = active_filters(asked(query), valid(Plain, query))
    assert plain == {"label": "with", "value": "“tea”", "remove_url": "/a/north/things"}
    [worded] = active_filters(asked(query), valid(Worded, query))
    assert (worded["label"], worded["value"]) == ("the q", "TEA")


def test_a_list_counts_as_filtered_only_with_a_filter():
    assert filter_context(asked("q=tea"), valid(Plain, "q=tea"))["filtered"]
    for form in (None, valid(Plain, "q=")):
        found = filter_context(asked("older=there"), form)
        assert found == {"active": [], "filtered": False, "clear_url": "/a/north/things"}


def test_the_line_above_counts_in_words():
    def said(**context):
        text = render_to_string("components/standing.html", context)
        return " ".join(text.split())

    assert "<strong>1</strong> key</p>" in said(noun="key", total=1)
    assert "<strong>10,000</strong> or more keys</p>" in said(noun="key", total=10_000, capped=True)
    memory = {"noun": "memory", "many": "memories"}
    assert "<strong>1</strong> memory</p>" in said(**memory, total=1)
    assert "<strong>0</strong> memories</p>" in said(**memory, total=0)
