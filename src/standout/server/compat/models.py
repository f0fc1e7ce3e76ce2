"""Which of our models answers when a client names one of another project's."""

from __future__ import annotations

from standout.server.serving import Serving


def our_model(serving: Serving, asked: object) -> tuple[str | None, dict[str, str]]:
    """The model to use (None is the default one), and a header that tells if it is another than was asked for."""
    name = str(asked or "").strip()
    if name in serving.pool.told.models:
        return name, {}
    if not name:
        return None, {}
    plain = name if name.isascii() and name.isprintable() and len(name) <= 64 else "unknown"
    return None, {"Standout-Model-Asked": plain}
