"""What MkDocs does besides: pages from files outside docs/, generated parts, links and lists as GitHub has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from formula import math_fence
from github import blank_before_lists, site_links
from mkdocs.structure.files import File, Files
from notebooks import notebook_page
from parts import PARTS

ROOT = Path(__file__).parents[2]

#: A file of the repository outside docs/ -> its page.
BORROWED = {
    "README.md": "index.md",
    "README.ru.md": "ru/index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "notebooks/use.ipynb": "notebooks/use.md",
    "notebooks/train.ipynb": "notebooks/train.md",
}
#: A page, or its title in the navigation and the page.
Entry = str | dict[str, str]

_PART = re.compile(r"<!-- generated: ([a-z-]+)\b.*?-->", re.DOTALL)


def borrowed() -> dict[str, str]:
    """`BORROWED` without what isn't there."""
    return {source: page for source, page in BORROWED.items() if (ROOT / source).is_file()}


def on_config(config: Any) -> Any:
    """Sets the formulas' translator, and a navigation that has every page."""
    fence = {"name": "math", "class": "math", "format": math_fence}
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}
    docs = Path(config.docs_dir)
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} | set(borrowed().values())
    config.nav = navigation(config.nav, pages)
    return config


def navigation(wanted: list[dict[str, list[Entry]]], pages: set[str]) -> list[dict[str, list[Entry]]]:
    """The sections as they are wanted, so that MkDocs complains of a missing page; unnamed pages make a last one."""
    sections = [(name, entries) for part in wanted for name, entries in part.items()]
    rest: list[Entry] = sorted(pages - {_page(entry) for _, entries in sections for entry in entries})
    return [{name: entries} for name, entries in [*sections, ("More", rest)] if entries]


def _page(entry: Entry) -> str:
    return entry if isinstance(entry, str) else next(iter(entry.values()))


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages whose text lies outside docs/."""
    for source, page in borrowed().items():
        if source.endswith(".ipynb"):
            text, pictures = notebook_page(ROOT / source)
            for name, content in pictures.items():
                files.append(File.generated(config, f"{Path(page).parent.as_posix()}/{name}", content=content))
        else:
            text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001 (MkDocs' names)
    """Fills in what is generated, and reads the rest as GitHub does."""
    markdown = _PART.sub(lambda found: PARTS[found[1]](), markdown)
    pages = borrowed()
    uri = page.file.src_uri
    source = {page: source for source, page in pages.items()}.get(uri, f"docs/{uri}")

    def uri_of(file: str) -> str | None:
        if file in pages or file.startswith("docs/"):
            return pages.get(file, file.removeprefix("docs/"))
        return file if files.get_file_from_path(file) else None  # a notebook's pictures

    return blank_before_lists(site_links(markdown, source, uri, uri_of))


def on_post_page(output: str, page: Any, config: Any) -> str:  # noqa: ARG001
    """Says which pages are Russian, for voices and hyphenation."""
    return output.replace('<html lang="en"', '<html lang="ru"', 1) if page.file.src_uri.startswith("ru/") else output
