"""A notebook as a page: text, code and what the code printed and drew when it was last run and committed."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter


def notebook_page(file: Path) -> tuple[str, dict[str, bytes]]:
    """The page's Markdown, and its pictures by the name under which the page links them."""
    notebook = nbformat.read(file, as_version=4)
    name = f"{file.stem}_pictures"
    text, resources = MarkdownExporter().from_notebook_node(notebook, resources={"unique_key": file.stem})
    pictures = {f"{name}/{output}": content for output, content in resources["outputs"].items()}
    for output in resources["outputs"]:
        text = text.replace(f"![jpeg]({output})", f"![what the cell above shows]({name}/{output})")
    return text, pictures
