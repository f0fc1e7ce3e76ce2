"""Schemathesis asks everything that the OpenAPI document allows, and much that it doesn't; nothing may be a fault."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from server_kit import encoded, running
from standout.server.options import ServerOptions


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis isn't installed")
def test_nothing_that_the_document_allows_is_a_fault(model_file: Path) -> None:
    import hypothesis
    import schemathesis
    from hypothesis import strategies
    from schemathesis.specs.openapi import checks as conformance

    picture = encoded(np.full((20, 30, 3), 200, np.uint8))
    for kind in ("image/*", "application/octet-stream"):
        schemathesis.openapi.media_type(kind, strategies.sampled_from([picture, b"", b"no picture", picture[:40]]))
    checks = [
        schemathesis.checks.not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_schema_conformance,
    ]
    asked = 0
    with running(ServerOptions(port=0, workers=1, threads=1, model=str(model_file), max_megapixels=1)) as server:
        schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json", timeout=60)
        for result in schema.get_all_operations():
            strategy = result.ok().as_strategy()

            @hypothesis.given(case=strategy)
            @hypothesis.settings(max_examples=25, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
            def ask(case: Any) -> None:
                case.call_and_validate(checks=checks, timeout=60)

            ask()
            asked += 1
        assert asked == 18
        assert server.client.get("/ready").status_code == 200
