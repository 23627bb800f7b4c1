"""Words that would break a careless page: markup, other directions, no blanks, very many."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.live import Server, result

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("live")]

# Each would change the window's title if it ran.
MARKUP = (
    "<img src=x onerror=\"document.title='broken'\">",
    "</script><script>document.title='broken'</script>",
    "</textarea></title><svg onload=document.title='broken'>",
    "{{ 7|add:7 }}{% now 'Y' %}<a href=\"javascript:document.title='broken'\">press</a>",
)
OVERRIDE = "\u202egnp.tnemyap\u2066 hidden"  # read backwards by whoever believes it
HEBREW = "שלום, הפגישה נקבעה ליום שלישי בשעה 10:30"
UNBROKEN = "w" * 5_000
MEGABYTES = 2_000_000
LONG_ID = "i" * 64
LONG_SESSION = "s" * 128


@dataclass(frozen=True)
class Oddities:
    """An account of nothing but strange words."""

    home: str
    cookies: dict[str, str]


@pytest.fixture(scope="module")
def oddities(server: Server) -> Oddities:
    person = server.person()
    server.user(person.account_id, LONG_ID)
    agent = {"X-Bailiwick-Agent": LONG_ID}
    with server.client({**person.headers, **agent}) as client:

        def session(session_id: str, title: str, *texts: str, **more: object) -> None:
            body = {"session_id": session_id, "title": title, **more}
            result(client.post("/sessions", json=body))
            for text in texts:
                say = {"role": "user", "content": text}
                result(client.post(f"/sessions/{session_id}/messages", json=say))

        for number, text in enumerate(MARKUP):
            metadata = {text: [text, {"deep": UNBROKEN}]}
            session(f"markup-{number}", text, text, metadata=metadata)
            parts = [
                {
                    "type": "tool",
                    "tool_name": text,
                    "tool_input": {text: text},
                    "tool_output": text,
                },
                {
                    "type": "tool",
                    "tool_name": UNBROKEN,
                    "tool_status": UNBROKEN,
                    "duration_ms": text,
                },
                {"type": "context", "uri": f"viking://user/{text}/{UNBROKEN}", "abstract": text},
                {
                    "type": "context",
                    "uri": "javascript:document.title='broken'",
                    "abstract": HEBREW,
                },
                {"type": text, "anything": UNBROKEN},
                {"type": "text", "text": text},
            ]
            body = {"role": "assistant", "parts": parts}
            result(client.post(f"/sessions/markup-{number}/messages", json=body))
            body = {"role": "tool", "role_id": LONG_ID, "content": text}
            result(client.post(f"/sessions/markup-{number}/messages", json=body))
        session("backwards", OVERRIDE, OVERRIDE, HEBREW)
        session("hebrew", HEBREW, HEBREW)
        session("word", "t" * 300, UNBROKEN)
        session(LONG_SESSION, "", UNBROKEN, thread_key="k" * 255)
        session("huge", "Two megabytes", "many words " * (MEGABYTES // 11))
    return Oddities(person.home, server.sign_in(person))


@pytest.mark.parametrize(
    "path",
    [
        "/sessions",
        "/sessions?q=%3Cimg+src%3Dx+onerror%3D%22document.title%3D%27broken%27%22%3E",
        *(f"/sessions/markup-{number}" for number in range(len(MARKUP))),
        "/sessions/markup-0/messages/2",
        "/sessions/backwards",
        "/sessions/word",
        "/sessions/word/messages/1",
        f"/sessions/{LONG_SESSION}",
        f"/policy?user={LONG_ID}&agent={LONG_ID}",
    ],
)
def test_strange_words_neither_run_nor_push_the_page_apart(open_window, oddities, path):
    window = open_window(cookies=oddities.cookies)
    window.go(f"{oddities.home}{path}")
    page = window.page
    page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")
    for _ in window.everywhere():
        window.fits()
        window.is_accessible()
    assert page.title() != "broken"
    assert page.locator("main :is(script, img, textarea)").count() == 0
    assert page.locator("[href^='javascript:'], [onerror], [onload]").count() == 0


@pytest.mark.parametrize("javascript", [True, False], ids=["scripted", "plain"])
def test_markup_is_shown_as_it_was_written(open_window, oddities, javascript):
    window = open_window(cookies=oddities.cookies, javascript=javascript)
    page = window.page
    for number, text in enumerate(MARKUP):
        window.go(f"{oddities.home}/sessions/markup-{number}")
        assert page.get_by_role("heading", level=1).text_content() == text
        texts = page.locator(".entry-text").all_text_contents()
        assert texts == [text, text, text]
        assert page.title().startswith(text.split()[0])


def test_other_directions_stay_in_their_own_words(open_window, oddities):
    window = open_window(cookies=oddities.cookies)
    page = window.page
    window.go(f"{oddities.home}/sessions")
    for title in (OVERRIDE, HEBREW):
        row = page.locator("tr", has=page.locator(".row-link", has_text=title))
        session_id = row.locator(".row-line code").bounding_box()
        words = row.locator(".row-line bdi").bounding_box()
        assert session_id is not None
        assert words is not None
        assert session_id["x"] + session_id["width"] < words["x"], "the id stands before the words"

    window.go(f"{oddities.home}/sessions/backwards")
    direction = "one => getComputedStyle(one).direction"
    assert page.locator("#m2 .entry-text").evaluate(direction) == "rtl"
    assert page.locator("#m2 .entry-head").evaluate(direction) == "ltr"
    assert page.locator("html").evaluate(direction) == "ltr"
    heading = page.get_by_role("heading", level=1).bounding_box()
    state = page.locator(".page-title .state").bounding_box()
    assert heading is not None
    assert state is not None
    assert heading["x"] < state["x"]


def test_two_megabytes_are_cut_in_the_timeline_and_whole_on_their_own_page(open_window, oddities):
    window = open_window(cookies=oddities.cookies, width=360)
    page = window.page
    answer = window.go(f"{oddities.home}/sessions/huge")
    assert len(answer.body()) < 100_000
    assert len(page.locator(".entry-text").inner_text()) < 5_000
    whole = page.get_by_role("link", name="Show whole message").get_attribute("href")
    window.go(whole)  # at most ten seconds until it is laid out
    assert len(page.locator(".entry-text").text_content()) == MEGABYTES // 11 * 11
    window.fits()
