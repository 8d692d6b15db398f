"""A small network trained by denoising score matching on a law on a line (needs the extra ``torch``)."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.steps.affine import Steps
from bounds.steps.path import Path
from closed_form.law import Law

__all__ = ["train"]

BATCH = 512
LEARNING_RATE = 3e-3


@dataclass(frozen=True)
class LearnedScore:
    """A trained score: ``values(a, s_sq, x)`` -> (score, its derivative), arrays like ``x``.

    Attributes
    ----------
    values : callable
    losses : tuple of float
        Mean loss over each tenth of the training, or of each iteration where there are fewer.
    """

    values: Callable
    losses: tuple[float, ...]

    def along(self, steps: Steps) -> Callable:
        """``score(x, t)`` at the times of steps of one block, for `verify.particles.simulation.sample`."""
        law = {float(time): (float(a), float(s_sq)) for each in (steps, steps.second) if each is not None
               for time, a, s_sq in zip(each.time, each.a, each.s_sq, strict=True)}

        def score(x, t: float):
            return self.values(*law[t], x[:, 0])[0][:, None]

        return score

    def error(self, law: Law, steps: Steps) -> Callable:
        """``error(i, x)`` -> (error, its derivative) at step i, as
        `closed_form.sampler_laws.line.perturbed_score.perturbed_w2` takes it."""

        def error(i: int, x):
            a, s_sq = float(steps.a[i]), float(steps.s_sq[i])
            value, slope = self.values(a, s_sq, x)
            pushed = law.pushed(a, s_sq)
            return value - pushed.score(x[:, None])[:, 0], slope - pushed.hessian(x[:, None])[:, 0, 0]

        return error


def train(law: Law | ArrayLike, process: ForwardProcess | str, horizon: float, *, iterations: int = 2000,
          width: int = 32, seed: int = 0, device: str = "cpu",
          tell: Callable[..., object] = lambda *_: None) -> LearnedScore:
    r"""Minimise :math:`E\|s\,s_\theta(X_t, t) + Z\|^2`, X_t = aX_0 + sZ, over times geometric in s².

    Parameters
    ----------
    law : Law of dimension 1, or array of shape (n, 1)
        Fresh draws of a law, or samples to draw from.
    process : ForwardProcess or str
        Or the key of one that needs no coefficients.
    horizon : float
    iterations, width, seed
        Steps of Adam with batches of 512, units in each of two hidden layers, seed of everything.
    device : str
        Where torch trains.
    tell : callable
        (fraction, what) -> None, told of progress.

    Raises
    ------
    ImportError
        If torch is not installed (``pip install sgm-bounds[torch]``).
    ValueError
        If the law is not on a line, the samples are not finite of shape (n, 1), or a count is below 1.

    References
    ----------
    Vincent 2011; Hyvärinen and Dayan 2005.
    """
    data = None if isinstance(law, Law) else _checked(law)
    if data is None and law.dim != 1:
        raise ValueError(f"law must have dimension 1, got {law.dim}")
    if iterations < 1 or width < 1:
        raise ValueError(f"iterations and width must be at least 1, got {iterations} and {width}")
    try:
        import torch
    except ImportError:
        raise ImportError('a learned score needs torch: pip install "sgm-bounds[torch]"') from None
    process = process_of(process)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    times = np.geomspace(horizon, 1e-3 * horizon, 400)
    path = Path(process, times)
    network = torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.SiLU(), torch.nn.Linear(width, width),
                                  torch.nn.SiLU(),
                                  torch.nn.Linear(width, 1)).to(device=device, dtype=torch.float64)
    spread = float(np.sqrt(law.second_moment if data is None else np.mean(np.square(data))))

    def score(a, s_sq, x):
        # what is learned is how far the score is from that of a Gaussian with the data's second moment: a
        # network for the posterior mean spends itself on small s, where that mean is x/a but for what counts
        std = (a**2 * spread**2 + s_sq).sqrt()
        features = torch.stack([x / std, a, s_sq.sqrt()], dim=1)
        return (network(features)[:, 0] - x / std) / std

    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations)
    losses = []
    with _one_thread(torch):
        for step in range(iterations):
            chosen = rng.integers(len(times), size=BATCH)
            a, s_sq = (torch.tensor(v[chosen], device=device) for v in (path.a, path.s_sq))
            x0, z = (torch.tensor(v, device=device)
                     for v in (law.sample(BATCH, rng)[:, 0] if data is None else rng.choice(data, BATCH),
                               rng.standard_normal(BATCH)))
            loss = ((s_sq.sqrt() * score(a, s_sq, a * x0 + s_sq.sqrt() * z) + z) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            if step % 50 == 0:
                tell(step / iterations, "training")

    def values(a: float, s_sq: float, x: np.ndarray):
        state = torch.tensor(x, dtype=torch.float64, device=device, requires_grad=True)
        full = (torch.full_like(state, value) for value in (a, s_sq))
        with _one_thread(torch):
            found = score(*full, state)
            (slope,) = torch.autograd.grad(found.sum(), state)
        return found.detach().cpu().numpy(), slope.cpu().numpy()

    tenths = np.array_split(losses, min(10, len(losses)))
    return LearnedScore(values, tuple(float(np.mean(part)) for part in tenths))


def _checked(samples) -> np.ndarray:
    found = np.asarray(samples, dtype=float)
    if found.ndim != 2 or found.shape[1] != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError(f"law must be a law or finite samples of shape (n, 1), got shape {found.shape}")
    return found[:, 0]


@contextlib.contextmanager
def _one_thread(torch):
    """One thread inside the block: the network is far too small to share, and spinning threads cost more than
    it does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
