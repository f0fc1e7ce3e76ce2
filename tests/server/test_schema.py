"""Schemathesis asks everything that the OpenAPI document allows, and much that it doesn't; nothing may be a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from server_kit import encoded, open_fake_engine, running
from standout.server.options import ServerOptions


@pytest.mark.slow
def test_nothing_that_the_document_allows_is_a_fault(model_file: Path) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    import hypothesis
    import numpy as np
    from hypothesis import strategies

    picture = encoded(np.full((20, 30, 3), 200, np.uint8))
    for kind in ("image/*", "application/octet-stream"):
        schemathesis.openapi.media_type(kind, strategies.sampled_from([picture, b"", b"no picture", picture[:40]]))
    options = ServerOptions(port=0, workers=1, threads=1, model=str(model_file), max_megapixels=1)
    with running(options) as server:
        url = f"http://127.0.0.1:{server.port}"
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        checks = [
            schemathesis.checks.not_a_server_error,
            *[getattr(schemathesis.checks, name) for name in ("max_response_time",) if False],
        ]
        from schemathesis.specs.openapi import checks as about

        checks += [about.status_code_conformance, about.content_type_conformance, about.response_schema_conformance]
        count = 0
        for result in schema.get_all_operations():
            operation = result.ok()

            @hypothesis.given(case=operation.as_strategy())
            @hypothesis.settings(max_examples=25, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
            def ask(case) -> None:
                case.call_and_validate(checks=checks, timeout=60)

            ask()
            count += 1
        assert count == 13
        assert server.client.get("/ready").status_code == 200


assert open_fake_engine  # what workers of other tests open
