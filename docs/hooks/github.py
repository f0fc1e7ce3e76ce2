"""The pages are written to be read on GitHub, too; here is what Markdown's and the site's rules want otherwise."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

_CODE = re.compile(r"(^```.*?^```[ ]*$|^~~~.*?^~~~[ ]*$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_LIST_AFTER_TEXT = re.compile(r"^(?![-*+]\s|\d+[.)]\s|\s|#)(.+)\n(?=(?:[-*+]|1[.)])\s)", re.MULTILINE)


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    parts = _CODE.split(markdown)
    return "".join(part if index % 2 else change(part) for index, part in enumerate(parts))


def site_links(markdown: str, source: str, page: str, uri_of: Callable[[str], str | None]) -> str:
    """Turns links between files of the repository into links between pages of the site.

    Args:
        markdown: A page's text.
        source: The file it comes from, from the repository's root.
        page: Its path in the site.
        uri_of: A file's path in the site; None where it has none.

    Returns:
        The text; a link to a file that has no page keeps its words alone.
    """

    def change(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        path, hash_sign, anchor = target.partition("#")
        if not path or ":" in path or path.startswith("/"):
            return found[0]
        uri = uri_of(posixpath.normpath(posixpath.join(posixpath.dirname(source), path)))
        if uri is None:
            return words
        link = posixpath.relpath(uri, posixpath.dirname(page) or ".")
        return f"{picture}[{words}]({link}{hash_sign}{anchor})"

    # A picture may be a link's words: from the inside out.
    return _outside_code(markdown, lambda text: _LINK.sub(change, text))


def blank_before_lists(markdown: str) -> str:
    """Puts the empty line before a list that GitHub does without."""
    return _outside_code(markdown, lambda text: _LIST_AFTER_TEXT.sub(r"\1\n\n", text))
