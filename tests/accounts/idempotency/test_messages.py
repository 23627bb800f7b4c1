"""A message's key is kept on the message for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.principals import idempotency
from tests.accounts.idempotency.kit import Clock, keyed
from tests.accounts.kit import (
    at_once,
    peer_header,
)
from tests.cast import Api


class TestMessages:
    """Their key lies on the message, for ever, and is unique in its session."""

    def test_outlives_the_day(self, api, cast, monkeypatch):
        headers = keyed(cast.bob.headers, "k")
        first = api.say(headers, "s1").result
        api.say(cast.bob.headers, "s1", "Another")
        later = timezone.now() + timedelta(days=400)
        monkeypatch.setattr(idempotency, "timezone", Clock(later))
        assert api.say(headers, "s1").result == first

    def test_belongs_to_its_session(self, api, cast):
        headers = keyed(cast.bob.headers, "k")
        assert api.say(headers, "s1").result != api.say(headers, "s2").result

    def test_of_another_writer_is_refused(self, api, cast):
        assert api.say(keyed(cast.bob.headers, "k"), "s1").status == 200
        assert api.say(keyed(cast.beth.headers, "k"), "s1").status == 422
        assert api.say(keyed(cast.beth.headers, "k2"), "s1").status == 200

    def test_is_answered_for_those_only_who_see_the_session(self, api, cast, set_policy):
        set_policy(sessions_visible_to="participants")
        assert api.say(keyed(cast.bob.headers, "k"), "s1").status == 200
        assert api.say(keyed(cast.beth.headers, "k"), "s1").status == 404

    def test_is_answered_when_the_session_has_ended(self, api, cast):
        first = api.say(keyed(cast.bob.headers, "k"), "s1").result
        api("PATCH", "/sessions/s1", cast.bob.headers, {"state": "ended"})
        assert api.say(keyed(cast.bob.headers, "k"), "s1").result == first
        assert api.say(keyed(cast.bob.headers, "k2"), "s1").status == 412

    @pytest.mark.parametrize("session", ["there before", "made by them"])
    def test_at_once_is_written_once(self, committed, session):
        headers = keyed(committed.bob.headers, "k")
        if session == "there before":
            Api().say(committed.bob.headers, "s1")
        answers = at_once(*((lambda api: api.say(headers, "s1")),) * 4)
        assert [answer.status for answer in answers] == [200] * 4
        assert len({answer.result["message_id"] for answer in answers}) == 1
        count = Api().get("/sessions/s1", committed.bob.headers).result["message_count"]
        assert count == (2 if session == "there before" else 1)

    def test_of_a_peers_first_message_is_known_again(self, api, cast):
        headers = keyed(peer_header(cast.bob.headers, "p1"), "k")
        first = api.say(headers, "s1").result
        assert api.say(headers, "s1").result == first
