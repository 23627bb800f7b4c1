"""Whom a conversation was with, out of its key: a table, and what holds for every key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.principals.models import ContactHandle
from memory.importers.keys import ALIASES, PLATFORMS, identify, of_parts, sanitized, thread_of
from memory.importers.plain import SourceSender

# key | platform | whom (g: a group) | thread | who spoke
TABLE = """
gw_4f1c                           | - | -                  | -   | -
gw_telegram_1_1                   | - | -                  | -   | -
alice                             | - | -                  | -   | -
telegram                          | telegram | unknown     | -   | -
matrix_room_bob                   | peer | matrix_room_bob  | -   | -
telegram_4711_4711                | telegram | 4711        | -   | -
telegram_4711_9_4711              | telegram | 4711        | 9   | -
telegram_-100123_bob              | telegram | g:-100123   | -   | bob
telegram_-100123_42_bob           | telegram | g:-100123   | 42  | bob
telegram_-100123_42_-7            | telegram | g:-100123   | 42  | -7
telegram_-100123_john_doe         | telegram | g:-100123   | -   | john_doe
telegram_-100123_jane_doe         | telegram | g:-100123   | -   | jane_doe
telegram_-100123_42_7_8           | telegram | g:-100123   | 42_7 | 8
telegram_bob                      | telegram | bob         | -   | -
telegram__bob                     | telegram | bob         | -   | -
telegram_                         | telegram | unknown     | -   | -
telegram___                       | telegram | unknown     | -   | -
tg_4711_4711                      | telegram | 4711        | -   | -
TG_4711_4711                      | telegram | 4711        | -   | -
telegram.support_4711_4711        | telegram | 4711        | -   | -
slack_C1_1700000000_123456_U7     | slack    | g:C1        | 1700000000_123456 | U7
discord_880_12                    | discord  | g:880       | -   | 12
whatsapp__49123__49123            | whatsapp | 49123       | -   | -
whatsapp_49123_s_whatsapp_net_49123_s_whatsapp_net | whatsapp | 49123 | - | -
whatsapp_1203_g_us_49123_s_whatsapp_net | whatsapp | g:1203 | - | 49123
wa_1203_g_us_7_lid                | whatsapp | g:1203      | -   | 7
email_bob_x_org_bob_x_org         | email    | bob_x_org   | -   | -
email_bob_x_org_m1_bob_x_org      | email    | bob_x_org   | m1  | -
email_list_x_org_eve_y_org        | email    | list_x_org_eve_y_org | - | -
imessage_chat7_9_bob              | imessage | g:chat7     | 9   | bob
imessage_chat7_eve_y_org          | imessage | chat7_eve_y_org | - | -
web_john_doe_john_doe             | web      | john_doe    | -   | -
"""
ROWS = [[cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines()]
IDS = st.text("abcXYZ0123456789-ü", min_size=1, max_size=12)


@pytest.mark.parametrize(("key", "platform", "whom", "thread", "spoke"), ROWS)
def test_a_key_says_whom_it_is_with(key, platform, whom, thread, spoke):
    found = identify(key)
    if platform == "-":
        assert (found.sender, found.speaker, found.thread) == (None, None, None)
        return
    kind, name = ("group", whom[2:]) if whom.startswith("g:") else ("external", whom)
    assert found.sender == SourceSender(platform, name, kind)
    assert found.thread == (None if thread == "-" else thread)
    assert found.speaker == (None if spoke == "-" else SourceSender(platform, spoke))


def test_every_platform_of_contacts_is_a_channel_and_nothing_else():
    assert set(PLATFORMS) == set(ContactHandle.Platform.values)
    assert set(ALIASES.values()) <= set(PLATFORMS)
    assert not set(ALIASES) & set(PLATFORMS)


@given(st.sampled_from(sorted(PLATFORMS - {"email"})), IDS, st.none() | IDS, IDS)
def test_parts_without_underscores_come_back(platform, room, thread, sender):
    if platform == "telegram":
        thread = thread and "42"
    pieces = [platform, room, *([thread] if thread else []), sender]
    if platform == "imessage":
        pieces = pieces[:4]
    found = identify("_".join(pieces))
    assert found == of_parts_with(found.metadata, platform, room, sender, thread)


def of_parts_with(metadata, platform, room, sender, thread):
    found = of_parts(platform, room, sender, thread)
    return type(found)(found.sender, found.speaker, found.thread, metadata)


@given(st.sampled_from(sorted(PLATFORMS)), st.text(max_size=40))
def test_what_came_by_a_known_channel_never_becomes_the_accounts_own(platform, rest):
    found = identify(f"{platform}_{rest}")
    assert found.sender is not None
    assert 1 <= len(found.sender.platform_id) <= 255
    if found.sender.kind == "group":
        assert found.speaker is not None


@given(st.text(max_size=400))
def test_no_key_is_too_strange(key):
    found = identify(key)
    assert found.metadata["key"]["kind"] in {"gateway", "channel", "unknown"}


def test_ids_that_are_too_long_stay_apart():
    one, other = (identify(f"web_{'x' * 300}{end}").sender.platform_id for end in "ab")
    assert one != other
    assert len(one) == len(other) == 255


def test_many_pieces_take_no_time_to_speak_of():
    assert identify("telegram" + "_1" * 200_000).sender.kind == "external"


@pytest.mark.parametrize(
    ("key", "channel", "room", "sender", "thread"),
    [
        ("slack_C1_17.5_U_1", "slack", "C1", "U_1", "17_5"),
        ("telegram_main_-1_4_john_doe", "telegram.main", "-1", "john_doe", "4"),
        ("slack_C1_U1", "slack", "C1", "U1", None),
        ("other", "slack", "C1", "U1", None),
    ],
)
def test_a_thread_stands_between_parts_that_are_known(key, channel, room, sender, thread):
    assert thread_of(key, channel, room, sender) == thread


def test_a_key_says_whether_characters_may_be_lost():
    assert identify("telegram_1_1").metadata["key"]["lossy"]
    assert not identify("telegram_1_@bob").metadata["key"]["lossy"]
    assert not identify("alice").metadata["key"]["lossy"]
    assert sanitized("ü.b@c-1") == "ü_b_c-1"
