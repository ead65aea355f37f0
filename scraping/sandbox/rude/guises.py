"""Answers that are not what they seem: walls with status 200, wrong types, hostile names."""

from __future__ import annotations

import itertools
from html import escape
from urllib.parse import quote

from scraping.outcomes import Kind
from scraping.sandbox.rude.trap import KEPT, Call, Section, Trap, document

# The marks by which such pages are known; no script is there to be loaded.
CHALLENGE = """<!doctype html>
<html lang="en-US"><head><title>Just a moment...</title>
<meta name="robots" content="noindex,nofollow"></head>
<body><div class="main-content"><noscript><div class="h2">Enable JavaScript and cookies to continue
</div></noscript></div>
<script>window._cf_chl_opt={cvId:'3',cType:'managed',cRay:'8d2f0a9b1c3e4f50'};</script>
</body></html>
"""
LOGIN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in</title></head>
<body><h1>Log in to continue</h1>
<form method="post" action="/rude/login-wall/login">
<label>User name <input name="username" autocomplete="off"></label>
<label>Password <input type="password" name="password" autocomplete="off"></label>
<button>Log in</button></form></body></html>
"""
SHELL = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<script defer src="/rude/empty-shell/main.8f3a2c.js"></script></head>
<body><noscript>You need to enable JavaScript to run this app.</noscript>
<div id="root"></div></body></html>
"""

# What people put into names. Each is the title of a page, the text of a link and, quoted, a part
# of an address and a file name in a header.
NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\x1b]0;owned\x07\x1b[31mred\x1b[2J",
    "invoice\u202efdp.exe",
    "two\nlines\r\nSet-Cookie: a=b",
    "../../../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "{{7*7}} [[scores]] ${x} <% y %>",
    "CON",
    "nul\u0000byte",
    "𝕹ame\u200bwith\ufeffnothing",
    "x" * 300,
)


def challenge(call: Call) -> None:
    """A page that asks for a browser, with status 200."""
    call.say(CHALLENGE)


def challenge_403(call: Call) -> None:
    """The same with status 403, as it mostly comes."""
    call.say(CHALLENGE, status=403)


def login_wall(call: Call) -> None:
    """A redirect to a form for a password."""
    if call.name:
        return call.say(LOGIN)
    return call.redirect("/rude/login-wall/login?next=%2Frude%2Flogin-wall")


def login_here(call: Call) -> None:
    """A form for a password in the page's own place."""
    call.say(LOGIN)


def empty_shell(call: Call) -> None:
    """A page that a script would build, if there were one."""
    if call.name:
        return call.say("/* There is nothing here. */", ("Content-Type", "text/javascript"))
    return call.say(SHELL)


def video(call: Call) -> None:
    """A film without end behind a link that looks like a page's."""
    call.start(("Content-Type", "video/mp4"), ("Connection", "close"))
    call.write(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")
    call.pour(itertools.repeat(bytes(64 * 1024)))


def html_for_csv(call: Call) -> None:
    """An error page under the name and the type of a table."""
    body = document("Sorry", "<p>This data set has moved. Please look around.</p>")
    call.say(
        body,
        ("Content-Type", "text/csv"),
        ("Content-Disposition", 'attachment; filename="birds.csv"'),
    )


def hostile_names(call: Call) -> None:
    """Pages whose names are attacks on whoever prints, stores or renders them."""
    if not call.path:
        links = "".join(
            f'<li><a class="onward" href="/rude/hostile-names/{number}/{quote(name, safe="")}">'
            f"{escape(name)}</a></li>\n"
            for number, name in enumerate(NAMES)
        )
        links += '<li><a class="onward" href="/rude/hostile-names/none">gone</a></li>\n'
        return call.say(document("Files", f"<ul>\n{links}</ul>"))
    number, _, name = call.name.partition("/")
    if not (number.isascii() and number.isdecimal() and int(number[:3]) < len(NAMES)):
        # Even the words beside the status may be an attack.
        page = document("Not here", "")
        return call.say(page, status=404, reason="\x1b[31mGone\x1b[2J\x07 fishing")
    name = NAMES[int(number)]
    file = (
        f"attachment; filename=\"{quote(name[:40], safe='/. <>')}\"; filename*=UTF-8''{quote(name)}"
    )
    return call.say(
        document(escape(name), f'<p class="name">{escape(name)}</p>'),
        ("Content-Disposition", file),
    )


SECTION = Section(
    "Not what it seems",
    "Answers with status 200 that are no page, files where a page was expected, and names that are "
    "attacks on whoever prints or stores them.",
    (
        Trap(
            "challenge",
            "A page that says “Just a moment…” to all but browsers, with status 200.",
            "Recognise it, keep no page, and say which lawful ways are left.",
            (Kind.CHALLENGE,),
            challenge,
        ),
        Trap(
            "challenge-403",
            "The same with status 403.",
            "Tell it from a plain refusal.",
            (Kind.CHALLENGE,),
            challenge_403,
        ),
        Trap(
            "login-wall",
            "A redirect to a form for user name and password.",
            "Recognise it, and keep no page.",
            (Kind.LOGIN,),
            login_wall,
        ),
        Trap(
            "login-here",
            "A form for user name and password in the page's own place.",
            "Recognise it, and keep no page.",
            (Kind.LOGIN,),
            login_here,
        ),
        Trap(
            "empty-shell",
            "A page that is empty until a script has run.",
            "Recognise it, keep no page, and point to the data that the script would load.",
            (Kind.SHELL,),
            empty_shell,
        ),
        Trap(
            "video",
            "A film without end where a page was expected.",
            "Look at the type and go, before the body is read.",
            (Kind.CONTENT_TYPE,),
            video,
        ),
        Trap(
            "html-for-csv",
            "An error page in HTML that calls itself text/csv.",
            "As a page it may be kept; as a table it must be refused.",
            (KEPT,),
            html_for_csv,
        ),
        Trap(
            "hostile-names",
            "Names made of script elements, terminal codes, directions, line breaks and paths.",
            "Keep them as they are, and show them so that they do nothing.",
            (KEPT,),
            hostile_names,
        ),
    ),
)
