"""Makes any text harmless in Markdown as GitHub shows it, whoever wrote it (pure).

Signs of markup are escaped. Some things GitHub makes of text only after that: mentions, which
notify people, links to issues, addresses, emoji. A space of no width keeps them from it, for what
is set as code, too, where other readers may not leave it alone. Most names need none of it.
"""

import re

LONGEST = 160
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})
_ESCAPED = _ENTITIES | str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]#|~"})
_NO_WIDTH = "&#8203;"
_LINKS = re.compile(
    r"(?<=@)(?=[\w.-])"  # @somebody, somebody@a.example
    r"|(?<=\#)(?=\d)"  # #12, owner/repository#12
    r"|(?<=\bGH-)(?=\d)"
    r"|(?<=:)(?=[\w+-]+:|//)"  # :emoji:, https://
    r"|(?<=www)(?=\.)",  # after `_`, too: no word ends there
    re.IGNORECASE,
)
_INSIDE = re.compile(r"(?<=[^\W_])_(?=[^\W_])")
"""An underscore within a word, which is no markup."""
_PLAIN = re.compile(r"(?:[A-Za-z0-9_./:=,+-]|(?<=[A-Za-z0-9_])@(?=[A-Za-z0-9_]))+")
"""What nothing is made of within backquotes: to be read and copied as it is."""
_STARTS = re.compile(r"[-+=]|\d+[.)]")


def text(raw: str, longest: int = LONGEST) -> str:
    """Return words that show as they are, on one line; long ones without their middle."""
    parts = _LINKS.split(visible(shortened(raw, longest)))
    return _NO_WIDTH.join(map(_escaped, parts))


def summary(raw: str, longest: int = LONGEST) -> str:
    """Return words for within an HTML element, where GitHub reads no Markdown."""
    parts = _LINKS.split(visible(shortened(raw, longest)))
    return _NO_WIDTH.join(part.translate(_ENTITIES) for part in parts)


def code(raw: str, longest: int = LONGEST) -> str:
    """Return a name or value, set as code; between backquotes a table would end at `|`."""
    if len(raw) <= longest and _PLAIN.fullmatch(raw):
        return f"`{raw}`"
    return f"<code>{text(raw, longest) or '&#160;'}</code>"


def line(markdown: str) -> str:
    """Return a line that is no list, heading or rule by how it begins."""
    inner = markdown.strip()
    return _NO_WIDTH + inner if _STARTS.match(inner) else inner


def shortened(raw: str, longest: int) -> str:
    """Leave out the middle of what is too long: both ends of a path tell something."""
    if len(raw) <= longest:
        return raw
    half = (longest - 1) // 2
    return f"{raw[:half]}…{raw[-half:]}"


def visible(raw: str) -> str:
    """Return a text of one line, without control codes and what turns text around."""
    if raw.isprintable():
        return raw
    return "".join(one if one.isprintable() else _coded(one) for one in raw)


def _coded(sign: str) -> str:
    if sign in "\n\r\t\v\f\u2028\u2029\u00a0":
        return " "
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")


def _escaped(part: str) -> str:
    return "_".join(word.translate(_ESCAPED) for word in _INSIDE.split(part))
