"""Backends: torch only on request, the same noise everywhere, clear refusals."""

import subprocess
import sys

import array_api_strict
import numpy as np
import pytest

from tests.tolerances import STANDARD_ERRORS
from tests.torch_required import torch_backend
from verify.particles.backends import Backend, backend
from verify.particles.noise import Increments, Streams


def test_torch_is_not_imported_for_numpy():
    """Asking for the numpy backend leaves torch, and scipy.stats, unimported."""
    code = (
        "import sys; import verify.particles.simulation, verify.lower_sides.w2; "
        "verify.particles.simulation.backend_named();"
        "sys.exit(any(name in sys.modules for name in ('torch', 'scipy.stats', 'ot', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "jax"}, "name must be one of numpy, torch, got 'jax'"),
        ({"dtype": "float16"}, "dtype must be one of float64, float32, got 'float16'"),
        ({"noise": "none"}, "noise must be one of host, device, got 'none'"),
        ({"device": "cuda"}, "device must be 'cpu' with numpy, got 'cuda'"),
        ({"noise": "device"}, "noise must be 'host' with numpy, got 'device'"),
    ],
)
def test_unknown_choices_are_refused(arguments, message):
    """Every argument that is not offered is named with what is."""
    with pytest.raises(ValueError, match=message):
        backend(**arguments)


def test_missing_torch_is_explained(monkeypatch):
    """Without torch the error says how to install it."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"pip install 'sgm-bounds\[torch\]'"):
        backend("torch")


@pytest.mark.parametrize("device", ["nowhere", "meta", "cuda:99", 3.5])
def test_device_that_torch_lacks_is_refused(device):
    """A device that cannot hold a number is refused at once."""
    torch_backend()
    with pytest.raises(ValueError, match="device must be one that torch has for float64"):
        backend("torch", device=device)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_torch_arrays_keep_value_and_precision(dtype):
    """numpy → torch → numpy is the identity up to the asked precision."""
    chosen = torch_backend(dtype=dtype)
    x = np.linspace(0.1, 1.0, 7)
    assert chosen.to_numpy(chosen.asarray(x)).dtype == dtype
    assert np.array_equal(chosen.to_numpy(chosen.asarray(x)), x.astype(dtype))


def test_host_noise_is_the_same_on_every_library():
    """numpy, torch and the strict namespace receive the same normals for a seed."""
    strict = Backend("array-api-strict", array_api_strict)
    expected = backend().opened(Streams(3), 0, 2, 16)(4)
    for other in (torch_backend(), strict):
        assert np.array_equal(other.to_numpy(other.opened(Streams(3), 0, 2, 16)(4)), expected)


def test_device_noise_is_seeded_by_cell():
    """Normals drawn by torch follow the seed and the cell, differ from numpy's, and are standard."""
    chosen = torch_backend(noise="device")
    whole = chosen.to_numpy(chosen.opened(Streams(3), 0, 3, 4096)(8))
    last = chosen.to_numpy(chosen.opened(Streams(3), 2, 1, 4096)(8))
    assert np.array_equal(whole[2:], last)
    assert not np.array_equal(whole[0], whole[1])
    assert not np.array_equal(whole, backend().opened(Streams(3), 0, 3, 4096)(8))
    assert abs(whole.mean()) * np.sqrt(whole.size) < STANDARD_ERRORS
    assert abs((whole**2).mean() - 1.0) * np.sqrt(whole.size / 2) < STANDARD_ERRORS


def test_given_increments_win_over_device_noise():
    """Explicit normals are used even where the device would draw its own."""
    normals = np.arange(16.0).reshape(1, 16, 1)
    chosen = torch_backend(noise="device")
    assert np.array_equal(
        chosen.to_numpy(chosen.opened(Increments(normals), 0, 1, 16)(1))[0, 0], normals[0, :, 0]
    )
