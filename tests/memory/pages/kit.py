"""Reading the pages about memories as a person does."""

from __future__ import annotations

import re

MEMORIES = "/a/north/memories"


def words(answer):
    """What a page says, without marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).strip()


def titles(answer):
    """The rows of a list, from the top."""
    found = re.findall(
        r'class="row-link row-title"[^>]*><bdi>([^<]*)</bdi>', answer.content.decode()
    )
    return [one.replace("&#x27;", "'") for one in found]


def choices(answer):
    """The rows that can be chosen."""
    return re.findall(r'name="ids" value="([0-9a-f-]{36})">', answer.content.decode())


def buttons(answer):
    """What can be done to the chosen rows, or to the memory."""
    return re.findall(r'name="do" value="(\w+)"', answer.content.decode())


def toast(browser, answer):
    """What is said after a change, and the form that takes it back (its address and fields)."""
    if not hasattr(answer, "said"):  # it is said once
        answer.said = _read(browser, answer)
    return answer.said


def undo(browser, answer):
    """Press Undo in the toast that the answer leads to; the answer to that."""
    _, way_back = toast(browser, answer)
    assert way_back, "nothing to press"
    return browser.post(*way_back)


def _read(browser, answer):
    assert answer.status_code == 303, words(answer)[-2000:]
    page = browser.get(answer["Location"]).content.decode()
    part = page.split('id="toasts"')[1].split('<template id="failed">')[0]
    part = part.split('class="toast"')[-1]  # the newest; others were not looked at
    said = re.search(r"<bdi>([^<]*)</bdi>", part)[1]
    form = re.search(r'<form method="post" action="([^"]*)">(.*?)</form>', part, re.DOTALL)
    if form is None:
        return said, None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[2]))
    fields.pop("csrfmiddlewaretoken", None)
    return said, (form[1].replace("&amp;", "&"), fields)
