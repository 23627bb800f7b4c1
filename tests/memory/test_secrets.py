"""Secrets are found where they stand, and nothing else is. Tokens are made up here, piece by piece,
so that no scanner of this repository takes them for lost ones."""

import random
import string
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.keys import new_key
from memory.secrets import find, redacted

_dice = random.Random(7)
LETTERS = string.ascii_letters + string.digits
BASE32 = string.ascii_uppercase + "234567"


def made(length: int, of: str = LETTERS) -> str:
    return "".join(_dice.choice(of) for _ in range(length))


def key_block(kind: str = "RSA PRIVATE KEY", lines: int = 8) -> str:
    body = "\n".join(made(64) for _ in range(lines))
    return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"


# By their form alone: kind, secret.
EXACT = [
    ("AWS key", "AKIA" + made(16, BASE32)),
    ("AWS key", "ASIA" + made(16, BASE32)),
    ("token", "ghp_" + made(36)),
    ("token", "github_pat_" + made(22) + "_" + made(59)),
    ("token", "glpat-" + made(20)),
    ("token", "-".join(["xoxb", made(12, "123456789"), made(12, "123456789"), made(24)])),
    ("token", "sk_live_" + made(24)),
    ("API key", "sk_test_" + made(24)),
    ("API key", "sk-proj-" + made(74) + "T3BlbkFJ" + made(74)),
    ("API key", "sk-ant-api03-" + made(93) + "AA"),
    ("API key", "bwk_acme-gmbh.Ab3_-xY9kQ1z." + made(43)),
    ("API key", "bwr_" + made(43)),
    ("token", made(10, "123456789") + ":AA" + made(33)),
    ("token", f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIiwibmFtZSI6IkFkYSJ9.{made(43)}"),
    ("private key", key_block()),
    ("private key", key_block("OPENSSH PRIVATE KEY")),
    ("private key", key_block("PGP PRIVATE KEY BLOCK")),
    ("private key", key_block().replace("\n", "\\n")),
    ("private key", "\n".join(key_block().split("\n")[:4])),  # cut off
    ("card number", "4111 1111 1111 1111"),
    ("card number", "4111-1111-1111-1111"),
    ("card number", "4111\u00a01111\u00a01111\u00a01111"),
    ("card number", "4111111111111111"),
    ("card number", "4222222222222"),  # 13 digits
    ("card number", "5555 5555 5555 4444"),
    ("card number", "3782 822463 10005"),
    ("card number", "6304000000000000000"),  # 19 digits
]

SURROUNDINGS = [
    ("", ""),
    ("Ada said: ", " and then left."),
    ("It is ", "."),
    ("It is ", ", she said."),
    ("«Zoë 😀» (", ")"),
    ("她说“", "”。"),
]

# By the word before them: kind, before, secret, after.
SAID = [
    ("password", "password: ", "hunter2", ""),
    ("password", "password: ", "swordfish", ""),
    ("password", "Her password is ", "hunter2", ", as ever."),
    ("password", "The password for the gym locker is now ", "4821", "."),
    ("password", "The wifi password\u2019s ", "Sunflower-42", ", ask at the bar."),
    ("password", "Passwort: ", "geheim123", ""),
    ("password", "log in as ada, password ", "hunter2", " and wait"),
    ("password", 'DB_PASSWORD="', "k8s-Gr3at!pw", '"'),
    ("password", '{"password": "', "correct horse battery", '"}'),
    ("password", "<password>", "hunter2", "</password>"),
    ("password", "postgres://ada:", "hunter2secret", "@db.example.org:5432/x"),
    ("password", "https://bob:", "S3cr3t!", "@example.org/x"),
    ("PIN", "The door's PIN is ", "4821", "."),
    ("card code", "cvv ", "123", ""),
    ("API key", "api_key = ", made(32), ""),
    ("API key", "Our API key is ", "abcd12ef34gh", "."),
    ("AWS key", "aws_secret_access_key = ", made(40), ""),
    ("secret", "the id is on file and the secret ", made(40), " is new"),
    ("secret", "client_secret: ", made(40), ""),
    ("token", "Authorization: Bearer ", made(40), ""),
    ("token", "Authorization: Basic ", "YWRhOmxvdmVsYWNlMTgxNQ==", ""),
]

ORDINARY = """\
Vera likes the window seat and dislikes calls before noon.
The password is in the safe behind the counter.
She said the password is required on every visit.
He forgot his password again and asked for a reset.
The password was changed last week by Tom.
The password is 12 characters long at least.
Her secret is grandma's recipe with cardamom.
Secret Santa: Bob draws Alice this year.
The secret to good bread is patience.
Token of thanks: a box of pears.
max_tokens: 4096, temperature: 0.2
The API key is kept in the vault, ask Nora.
Keys are with the janitor; the spare key is under the mat.
Call her at +49 170 1234567 or 030 1234 5678.
Her number is +1 (555) 010-4477, extension 1234.
Born on 1984-03-12, member since 01.02.2019.
We meet at 14:30 on 2026-11-20T14:30:00Z.
Order 4000 1234 5678 9011 has not arrived.
Order number 4000123456789011 was refunded.
Ticket 7c9e6679-7425-40de-944b-e07fc1f90ae7 is open.
Commit 9fceb02d0ae598e95dc970b74767f19372d61af8 broke it.
The sum is e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.
See https://example.org/path?id=42&page=3#top for more.
Write to ada.lovelace+news@example.org, not to info@example.com.
IBAN DE89 3704 0044 0532 0130 00 is for refunds.
The parcel is 4711-0815, gate B12.
She pins recipes to the board: pin 3 of them.
Her boarding pass is AB1234, seat 12A.
The pass for the museum: ask at the desk.
He passed the exam; bypass: closed until May.
Passwords: see the handbook, page 12.
Password policy: at least one digit.
Password: none.
She prefers tea: green, 80 °C, 3 minutes.
Flight LH1234 lands at 18:05 at gate 22.
The lost phone has the IMEI 490154203237518.
Timestamp 1763658117123 in the log.
The access key opens the side door.
Private key: ask the notary.
Authorization: granted by the board on Monday.
He pays with Visa ending in 4242.
The secretary: Anna Schmidt, room 2019a.
DB_PASSWORD=${DB_PASSWORD} comes from the environment.
The password is <your password>, says the manual.
パスワードは金庫の中にあります。
Ihr Passwort ist im Tresor, sagt Jürgen.
See http://localhost:8000/@ada and ssh://git@example.org:22/x.git
The Polish postcode is 00-950, the French one 75001.
""".splitlines()


@pytest.mark.parametrize(("kind", "secret"), EXACT)
def test_a_secret_is_found_by_its_form_wherever_it_stands(kind, secret):
    for before, after in SURROUNDINGS:
        text = before + secret + after
        (found,) = find(text)
        assert (found.kind, text[found.start : found.end]) == (kind, secret)
        assert redacted(text) == (f"{before}[redacted: {kind}]{after}", 1)


@pytest.mark.parametrize(("kind", "before", "secret", "after"), SAID)
def test_a_secret_is_found_by_the_word_before_it(kind, before, secret, after):
    for opening in ("", "😀 Zoë: "):
        text = opening + before + secret + after
        (found,) = find(text)
        assert (found.kind, text[found.start : found.end]) == (kind, secret)
    assert redacted(before + secret + after) == (f"{before}[redacted: {kind}]{after}", 1)


@pytest.mark.parametrize("sentence", ORDINARY)
def test_an_ordinary_sentence_stays_as_it_is(sentence):
    assert redacted(sentence) == (sentence, 0)


def test_ordinary_sentences_together_stay_as_they_are():
    text = "\n".join(ORDINARY)
    assert redacted(text) == (text, 0)


def test_a_key_that_we_just_made_is_found_whole():
    plain = new_key("acme").plain
    assert redacted(f"use {plain}, please") == ("use [redacted: API key], please", 1)


def test_a_number_that_fails_luhn_is_no_card():
    assert redacted("4111 1111 1111 1111 or 4111 1111 1111 1112") == (
        "[redacted: card number] or 4111 1111 1111 1112",
        1,
    )


def test_a_card_is_found_between_a_year_and_what_expires():
    assert redacted("2026 4111 1111 1111 1111 12/27 123") == (
        "2026 [redacted: card number] 12/27 123",
        1,
    )


def test_several_secrets_are_counted_in_their_order_even_the_same_one_twice():
    token = "ghp_" + made(36)
    text = f"{token}\n4111 1111 1111 1111\npassword: hunter2\n{token}"
    assert [found.kind for found in find(text)] == ["token", "card number", "password", "token"]
    assert redacted(text)[1] == 4


def test_what_overlaps_is_one_secret_under_the_surer_name():
    token = "ghp_" + made(36)
    text = f"password={token}-x!"
    (found,) = find(text)
    assert (found.kind, text[found.start : found.end]) == ("token", f"{token}-x!")


def test_nul_characters_and_lone_surrogates_hide_nothing():
    token = "ghp_" + made(36)
    for before in ("a\0b\0" * 20, "\ud800 ", "\ufeff", "\xff\xfe "):
        assert redacted(before + token) == (f"{before}[redacted: token]", 1)


def test_a_note_for_scanners_of_code_excuses_nothing():
    token = "ghp_" + made(36)
    assert redacted(f"{token} # gitleaks:allow kingfisher:ignore")[1] == 1


def test_threads_find_the_same():
    text = "\n".join(secret for _kind, secret in EXACT)
    alone = find(text)
    assert len(alone) == len(EXACT)
    with ThreadPoolExecutor(4) as threads:
        assert all(found == alone for found in threads.map(find, [text] * 40))


_secrets = [secret for _kind, secret in EXACT] + ["".join(parts) for _kind, *parts in SAID]
_words = ["password", "is", ":", "=", '"', "\n", "[redacted: token]", "://a:b@c", "PIN", "-", "'s"]
_texts = st.lists(
    st.sampled_from(_secrets) | st.sampled_from(_words) | st.sampled_from(ORDINARY) | st.text(),
    max_size=8,
).flatmap(lambda parts: st.sampled_from(["", " ", "\n"]).map(lambda gap: gap.join(parts)))


@settings(max_examples=300, deadline=None)
@given(_texts)
@example("password: [redacted: token]")
@example("[redacted: password]: hunter2")
def test_what_was_redacted_holds_no_secret_again(text):
    clean, count = redacted(text)
    assert find(clean) == []
    assert (count == 0) == (find(text) == []) == (clean == text)


@settings(max_examples=200, deadline=None)
@given(_texts)
def test_what_is_found_lies_in_the_text_in_order_and_apart(text):
    ends = [0]
    for found in find(text):
        assert ends[-1] <= found.start < found.end <= len(text)
        ends.append(found.end)
