"""The array library, device and precision that one sampler source runs on."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.particles.noise import Fill, Increments, Streams, cell_sequence

_NAMES = ("numpy", "torch")
_DTYPES = ("float64", "float32")
_NOISES = ("host", "device")


@dataclass(frozen=True)
class Backend:
    """An array-API namespace with a device and a precision.

    Parameters
    ----------
    name : str
        For messages.
    xp : module
        Array-API namespace (array-api-compat's numpy or torch, array-api-strict).
    device : object
        Device in the library's own type, None for its default.
    dtype : str
        "float64" or "float32".
    noise : str
        "host": the numpy streams, so a seed gives the same samples to rounding on every backend;
        "device": drawn on the device by torch, one generator for every cell.
    """

    name: str
    xp: Any
    device: Any = None
    dtype: str = "float64"
    noise: str = "host"

    @property
    def on_host(self) -> bool:
        """Whether arrays live in the memory of the CPU, where blocks should fit its cache."""
        return self.name != "torch" or self.device.type == "cpu"

    def asarray(self, array: np.ndarray) -> Any:
        """``array`` on the device in the backend's precision; may share memory with it."""
        if self.name == "numpy":  # constants of many short steps
            return np.asarray(array, dtype=self.dtype)
        return self.xp.asarray(array, dtype=getattr(self.xp, self.dtype), device=self.device)

    def to_numpy(self, array: Any) -> np.ndarray:
        """``array`` as a numpy array; may share memory with it."""
        return np.asarray(array.cpu() if self.name == "torch" else array)

    def opened(self, source: Streams | Increments, first: int, cells: int, size: int) -> Callable[[int], Any]:
        """``draw(rows)``: the next normals of the cells, (cells, rows, size), free to be overwritten."""
        if self.noise == "device" and isinstance(source, Streams):
            return self._opened_on_device(source, first, cells, size)
        return self.drawn(source.opened(first, cells, size), cells, size)

    def drawn(self, fill: Fill, cells: int, size: int) -> Callable[[int], Any]:
        """As `opened`, of what fills an array (cells, rows, size)."""
        buffers: dict[int, np.ndarray] = {}

        def draw(rows: int) -> Any:
            if rows not in buffers:
                buffers[rows] = np.empty((cells, rows, size))
            fill(buffers[rows])
            return self.asarray(buffers[rows])

        return draw

    def _opened_on_device(self, source: Streams, first: int, cells: int, size: int) -> Callable[[int], Any]:
        import torch

        generators = []
        for cell in range(first, first + cells):
            (state,) = cell_sequence(source.seed, cell).generate_state(1, np.uint64)
            generators.append(torch.Generator(self.device).manual_seed(int(state) >> 1))
        options = {"device": self.device, "dtype": getattr(torch, self.dtype)}

        def draw(rows: int) -> Any:
            return torch.stack([torch.randn((rows, size), generator=each, **options) for each in generators])

        return draw


def backend(name: str = "numpy", device: str = "cpu", dtype: str = "float64", *,
            noise: str = "host") -> Backend:
    """The backend called ``name``; torch is imported here, when it is asked for, and nowhere else.

    Parameters
    ----------
    name : {"numpy", "torch"}
    device : str
        "cpu", or any device string of torch ("cuda", "cuda:1", …).
    dtype : {"float64", "float32"}
    noise : {"host", "device"}
        Where normals are drawn; "device" needs torch and gives other samples than "host".

    Raises
    ------
    ValueError
        If an argument is none of the above, or torch has no such device for this dtype.
    ImportError
        If torch is asked for and not installed.
    """
    for label, value, known in (("name", name, _NAMES), ("dtype", dtype, _DTYPES), ("noise", noise, _NOISES)):
        if value not in known:
            raise ValueError(f"backend {label} must be one of {', '.join(known)}, got {value!r}")
    if name == "numpy":
        if device != "cpu":
            raise ValueError(f"backend device must be 'cpu' with numpy, got {device!r}")
        if noise != "host":
            raise ValueError(f"backend noise must be 'host' with numpy, got {noise!r}")
        return Backend("numpy", importlib.import_module("array_api_compat.numpy"), None, dtype, noise)
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise ImportError("backend 'torch' needs torch: pip install 'sgm-bounds[torch]'") from error
    try:
        place = torch.device(device)
        torch.zeros(1, device=place, dtype=getattr(torch, dtype)).cpu()
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise ValueError(f"backend device must be one that torch has for {dtype}, got {device!r}") from error
    return Backend("torch", importlib.import_module("array_api_compat.torch"), place, dtype, noise)
