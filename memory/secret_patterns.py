"""Secrets that no provider's format gives away: cards, our own keys, passwords that are said.

Each pattern takes time in proportion to the text, whatever the text is: repetitions are bounded or
possessive. `exact` are certain by their form; `said` are recognised by the word before them, and
the value has to look like a secret, for "the password is in the safe" is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.keys import PREFIX

Span = tuple[str, int, int]  # kind, start, end

_EXACT = (
    (
        "API key",
        re.compile(
            rf"{PREFIX}[a-z0-9_-]{{1,64}}\.[a-z0-9_-]{{1,32}}\.[a-z0-9_-]{{1,100}}",
            re.ASCII | re.IGNORECASE,
        ),
    ),
    ("API key", re.compile(r"bwr_[\w-]{20,100}", re.ASCII)),  # the root key of an installation
    ("AWS key", re.compile(r"(?<![A-Z0-9])A[KS]IA[A-Z2-7]{16}(?![A-Z0-9])")),
    ("API key", re.compile(r"(?<!\w)[sr]k_test_[A-Za-z0-9]{16,200}+")),  # Stripe's for tests
    ("token", re.compile(r"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])", re.ASCII)),  # a bot of Telegram
    # Also one that was cut off.
    (
        "private key",
        re.compile(
            r"-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?:[^-]|-(?!----))*+-----END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:(?:\s|\\[nr])*+[A-Za-z0-9+/=]{16,}+)*+)"
        ),
    ),
)
_URL_PASSWORD = re.compile(r"://[^\s/@:?#]{0,100}+:(?P<value>[^\s/@?#]{1,200}+)@")

# Digits as they stand on cards: all together, in fours, or in the groups of Amex and Diners. Spaces
# may be those of typesetting. Looked for at every place, since a year may stand before, and a
# date or a code behind.
_GAP = r"[ \-\u00a0\u2009\u202f\u2013]"
_CARDS = [
    re.compile(rf"(?<!\w)(?<!\d[.,])(?=(?P<card>{groups})(?!\w|[.,]\d))")
    for groups in (
        r"\d{13,19}",
        rf"\d{{4}}(?:{_GAP}\d{{4}}){{3}}",
        rf"\d{{4}}(?:{_GAP}\d{{4}}){{3}}{_GAP}\d{{3}}",
        rf"\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}",
        rf"\d{{6}}{_GAP}\d{{13}}",
    )
]
# How the numbers of issuers begin and how long they are. Most other numbers fall out here.
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|(?:5[06-8]|6\d)\d{11,17}"
)

_WORDS = {
    "password": (
        r"pass[ _-]?(?:word|phrase|code)|passwd|pwd|(?<![^\W_])pw(?![^\W_])"
        r"|(?<=[_-])pass(?![^\W_])|passwort|kennwort|contraseña|contrasena|mot de passe"
    ),
    "code": r"(?<![^\W_])(?:(?-i:PIN)|cv[vc]2?)(?:[ -]?(?:code|number))?(?![^\W_])",
    "pin": r"(?<![^\W_])pin(?:[ -]?(?:code|number))?(?![^\W_])",
    "key": (
        r"(?:aws[ _-])?(?:api|access|secret|auth|account|service|encryption|signing|private|client)"
        r"[ _-]?key"
        r"|(?:aws[ _-])?secret[ _-]access[ _-]key"
    ),
    "token": r"(?<![^\W_])bearer|authorization(?=[\"': ])|token|secret",
}
_SHORT = frozenset({"password", "code", "pin"})  # what people choose: short, and like words
_WORD = re.compile(
    rf"(?:{'|'.join(f'(?P<{kind}>{words})' for kind, words in _WORDS.items())})"
    r"(?:[_-]\w{1,30}+)?",
    re.IGNORECASE,
)
# After the word: `=`, `:` or the like, or a verb, also with "for the locker" before it.
_ASSIGNED = re.compile(
    r"[\"'`\])]{0,3}\s{0,4}+(?:[:=]=?=?|=>|>(?=\S))\s{0,4}+(?:(?:basic|bearer|token)\s)?",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?: (?:for|to|of|on|in|at|für|zum|zur|pour|para|del?)(?: [^\s.:;]{1,30}){1,6}?)?"
    r"(?: (?:is|was|ist|war|lautet|est|es|era)|['\u2019]s|[ ]?->)[:]?"
    r"(?: (?:now|still|currently|always|just|jetzt|noch))?\s{1,4}+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\"([^\"\n]{4,200})\"|'([^'\n]{4,200})'|`([^`\n]{4,200})`|“([^”\n]{4,200})”")
_BARE = re.compile(r"(?:[^\s\"'`<>“”„,;]|[,;'](?=\w)){3,500}+")
_CLAUSE_END = re.compile(r"\s*(?:$|[.,;!?)\]}\n<]|(?:and|or|und|et|y|for|to|on|at|für)\b)")
_LINE_END = re.compile(r"[ \t]*(?:$|[\r\n<,;}\]])")

# What is put in the place of a value, ours among it.
_TEMPLATE = re.compile(
    r"\[redacted|\{|<|\$[({]|\$[A-Z_]{3}|%\(|%[A-Z_]{3}|\*{3}|\.{3}|•|x{4}|os\.|env\.|process\."
    r"|…|\w+://|1password",
    re.IGNORECASE,
)
_NO_VALUE = frozenset(
    (
        *("none", "null", "nil", "true", "false", "yes", "no", "unknown", "required", "optional"),
        *("empty", "missing", "changed", "forgotten", "reset", "expired", "invalid", "valid"),
        *("wrong", "correct", "incorrect", "secret", "password", "string", "text", "hidden"),
        *("protected", "needed", "unset", "todo", "example"),
    )
)
_SYMBOL = re.compile(r"[!@#$%^&*=+~|\\]")
_SWITCH = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Value:
    """What stands after the word, and how: these decide whether it is a secret."""

    text: str
    start: int
    end: int
    quoted: bool
    ends_line: bool
    ends_clause: bool


def exact(text: str) -> Iterator[Span]:
    """What its form alone proves."""
    for kind, pattern in _EXACT:
        yield from ((kind, *match.span()) for match in pattern.finditer(text))
    for match in _URL_PASSWORD.finditer(text):
        if not _TEMPLATE.match(match["value"]):
            yield "password", *match.span("value")
    for pattern in _CARDS:
        for match in pattern.finditer(text):
            digits = "".join(str(int(sign)) for sign in match["card"] if sign.isdecimal())
            if _ISSUED.fullmatch(digits) and _luhn(digits):
                yield "card number", *match.span("card")


def said(text: str) -> Iterator[Span]:
    """What a word before it calls a password, a PIN, a key, a token."""
    done = 0
    for word in _WORD.finditer(text):
        if word.start() < done:
            continue  # a word within a secret
        group = word.lastgroup or ""
        for link, strong_enough in ((_ASSIGNED, _assigned), (_VERB, _told), (None, _beside)):
            start = _after(text, word.end(), link)
            if start is None or (value := _value(text, start)) is None:
                continue
            if not _TEMPLATE.match(value.text) and strong_enough(group, value):
                done = value.end
                yield _name(word[0], group), value.start, value.end
            break


def _after(text: str, position: int, link: re.Pattern[str] | None) -> int | None:
    if link is None:
        return position + 1 if text[position : position + 1] == " " else None
    match = link.match(text, position)
    return match.end() if match else None


def _value(text: str, start: int) -> _Value | None:
    quoted = _QUOTED.match(text, start)
    if quoted and quoted.lastindex:
        start, end = quoted.span(quoted.lastindex)
        return _Value(text[start:end], start, end, quoted=True, ends_line=True, ends_clause=True)
    bare = _BARE.match(text, start)
    if bare is None:
        return None
    value = bare[0].rstrip(".:?)]}")
    end = start + len(value)
    return _Value(
        value,
        start,
        end,
        quoted=False,
        ends_line=end < bare.end() or _LINE_END.match(text, bare.end()) is not None,
        ends_clause=end < bare.end() or _CLAUSE_END.match(text, bare.end()) is not None,
    )


def _assigned(group: str, value: _Value) -> bool:
    """`password: swordfish` at the end of a line counts; `token: soon` does not."""
    if value.text.lower() in _NO_VALUE:
        return False
    if group in _SHORT:
        plain = group == "password" and len(value.text) >= 4
        return _strong(group, value.text) or (plain and (value.quoted or value.ends_line))
    quoted = value.quoted and len(value.text) >= 16 and " " not in value.text
    return quoted or _mixed(value.text, 8) or _tangled(value.text, 16)


def _told(group: str, value: _Value) -> bool:
    """`the password is hunter2` counts; `the password is forgotten` does not."""
    if group in _SHORT:
        quoted = group == "password" and value.quoted and value.text.lower() not in _NO_VALUE
        return quoted or _strong(group, value.text)
    return _mixed(value.text, 8) and _tangled(value.text, 8)


def _beside(group: str, value: _Value) -> bool:
    """`password hunter2` and `Bearer 9f3…`, without a word between."""
    if group == "password":
        return value.ends_clause and _mixed(value.text, 6)
    if group in _SHORT:
        return group == "code" and value.ends_clause and _strong(group, value.text)
    return _mixed(value.text, 16) and _tangled(value.text, 16)


def _strong(group: str, value: str) -> bool:
    if value.isdecimal():
        return len(value) >= 4 if group == "password" else 3 <= len(value) <= 12
    symbols = len(value) >= 4 and _SYMBOL.search(value) and any(map(str.isalpha, value))
    return group == "password" and (bool(symbols) or _mixed(value, 4))


def _mixed(value: str, least: int) -> bool:
    """Letters and digits in one word of at least that length."""
    return len(value) >= least and any(map(str.isalpha, value)) and any(map(str.isdecimal, value))


def _tangled(value: str, least: int) -> bool:
    """As no word is: letters, digits and capitals change places again and again."""
    return len(value) >= least and len(_SWITCH.findall(value)) >= max(2, least // 6)


def _name(word: str, group: str) -> str:
    if group in {"code", "pin"}:
        return "card code" if word[:2].lower() == "cv" else "PIN"
    if group == "key":
        return "AWS key" if word[:3].lower() == "aws" else "API key"
    if group == "token":
        return "secret" if word[:6].lower() == "secret" else "token"
    return "password"


def _luhn(digits: str) -> bool:
    """Every second digit from the right doubled, its digits added: the sum ends in 0."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0
