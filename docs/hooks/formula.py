"""Formulas: a ```math fence, which GitHub shows too, becomes MathML, which browsers show without a script."""

from __future__ import annotations

from typing import Any

from latex2mathml.converter import convert


def math_fence(
    source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **more: Any  # noqa: ARG001
) -> str:  # fmt: skip
    """What pymdownx.superfences calls for a fence; a line that ends with a double backslash is a formula of its own."""
    formulas = (line.strip() for line in source.split(r"\\"))
    return "".join(f'<p class="{css_class}">{convert(formula, display="block")}</p>' for formula in formulas if formula)
