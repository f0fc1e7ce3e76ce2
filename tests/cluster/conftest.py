"""The tests of this folder need the extra `cluster`."""

from __future__ import annotations

import pytest

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")
