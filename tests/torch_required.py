"""What tests that need torch call: without torch they are skipped, or fail if REQUIRE_TORCH=1."""

import os

import pytest

from verify.particles.backends import Backend, backend


def require_torch() -> None:
    """Skip the test where torch is missing and not required."""
    if os.environ.get("REQUIRE_TORCH") != "1":
        pytest.importorskip("torch")


def torch_backend(**options) -> Backend:
    """The torch backend."""
    require_torch()
    return backend("torch", **options)
