"""`standout page`: the browser page as static files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def page(
    output: Annotated[Path, typer.Argument(help="Folder to write; it must be empty, absent, or hold such a page.")],
) -> None:
    """Write the browser page (photos and webcam, all on the visitor's device) as files for any web host."""
    from standout.page import write_page

    written = write_page(output)
    sys.stdout.write(
        f"{output}: {written.files} files, {written.size / 1e6:.1f} MB. Put the folder on any web host with https; "
        f"to try it here: python -m http.server --bind 127.0.0.1 --directory {output}\n"
    )
