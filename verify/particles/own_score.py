"""A score of your own in place of the exact one: any callable, a torch module among them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bounds.steps.affine import Steps
from verify.particles.score_kernels import PushedScore


@dataclass(frozen=True)
class OwnScore(PushedScore):
    """The same step with a callable for the score, in the arrays of the backend."""

    score: Callable | None = None

    def constants(self, steps: Steps, i: int) -> tuple[np.ndarray, ...]:
        """(time, P, Q) and Q times the bias."""
        numbers = np.array([steps.time[i], steps.P[i], steps.Q[i]], dtype=float)
        return numbers, (steps.Q[i] * steps.part(i) * self.bias)[:, None]

    def advance(self, y: Any, constants: tuple, xp: Any) -> None:
        (time, P, Q), b = (float(x) for x in constants[0]), constants[1]
        if Q == 0.0:
            y *= P
            return
        cells, d, size = y.shape
        x = xp.reshape(xp.permute_dims(y, (0, 2, 1)), (-1, d))
        found = checked_shape(self.score(x, time), x)
        rows = xp.reshape(xp.asarray(found, dtype=y.dtype, device=y.device), (cells, size, d))
        y *= P
        y += Q * xp.permute_dims(rows, (0, 2, 1))
        y += b


def checked_shape(found: Any, x: Any) -> Any:
    """What a score of one block returned at particles x, refused where its shape is another."""
    if getattr(found, "shape", None) != x.shape:
        raise ValueError(f"score must return an array of shape {tuple(x.shape)} as its first argument has, got "
                         f"{getattr(found, 'shape', type(found).__name__)}")
    return found


def torch_score(module: Callable[[Any, Any], Any], device: str = "cpu",
                dtype: str = "float32") -> Callable[[Any, float], Any]:
    """A torch module, called ``module(x, t)`` with x (n, d) and t (n,), as a score of arrays or tensors.

    In phase space x is (n, 2, d): position and velocity.

    Parameters
    ----------
    module : callable
        Tensors to a tensor of shape (n, d), or what `sample` asks of a score in phase space; gradients are
        not kept.
    device, dtype : str
        Where, and in which precision, the module computes.

    Raises
    ------
    ImportError
        If torch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise ImportError('a score in torch needs it: pip install "sgm-bounds[torch]"') from None

    def score(x, t: float):
        with torch.no_grad():
            inside = torch.as_tensor(x).to(device=device, dtype=getattr(torch, dtype))
            found = module(inside, torch.full((len(inside),), t, device=inside.device, dtype=inside.dtype))
        if isinstance(x, np.ndarray):
            return found.cpu().numpy().astype(x.dtype)
        return found.to(device=x.device, dtype=x.dtype)

    return score
