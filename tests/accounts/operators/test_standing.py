"""The operators' console: the log and the installation's health."""

from __future__ import annotations

import re

from accounts.models import Account, OperatorEvent
from accounts.principals.operator.words import OPERATOR_WORDS, did
from tests.accounts.operators.kit import NEW, text


class TestLog:
    def test_it_is_in_words_with_names_where_they_are_left(self, console):
        console.post("/operator/accounts/new", NEW)
        body = text(console.get("/operator/log"))
        assert "olga@hollis.example" in body
        assert '<a href="/operator/accounts/west"><code>west</code></a>' in body
        assert "The command line or the root key" in body  # the cast's own making

    def test_pages(self, console, monkeypatch):
        monkeypatch.setattr("accounts.principals.operator.views.log.PAGE", 2)
        seen, url = 0, "/operator/log"
        while url:
            answer = console.get(url)
            seen += len(answer.context["rows"])
            url = answer.context["older_url"]
        assert seen == OperatorEvent.objects.count()
        assert answer.context["newer_url"]
        assert console.get("/operator/log?older=x").status_code == 404

    def test_every_place_of_a_sentence_is_known(self):
        for words in [*OPERATOR_WORDS.values(), did("account.updated", {"renamed": "1"})]:
            assert set(re.findall(r"\{(\w+)\}", words)) <= {"account", "person"}
        assert did("bridge.burnt", {}) == "did bridge.burnt"


class TestHealth:
    def test_facts_and_warnings_with_cures(self, console, settings):
        body = text(console.get("/operator/health"))
        assert settings.VERSION in body
        assert "No worker runs" in body
        assert "manage.py worker" in body

    def test_accounts_that_are_behind(self, console):
        assert "migrate_accounts" not in text(console.get("/operator/health"))
        Account.objects.filter(account_id="north").update(migrated_to="before")
        assert "Run manage.py migrate_accounts." in text(console.get("/operator/health"))
