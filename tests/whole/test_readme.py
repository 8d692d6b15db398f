"""What the README shows is true: its code runs, its problem certifies, its numbers are the tool's."""

import re
import tomllib
from pathlib import Path

import pytest

from bounds import ou, vp
from bounds.processes.cld import cld
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.tolerances import PRINTED
from verify.certificates.certificate import certify, certify_setting, measure
from verify.certificates.question import setting_of
from verify.problems.problem import bundled_problem, load_problem, read_problem

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def block(language):
    """The first code block of that language."""
    return re.search(rf"```{language}\n(.*?)```", README, re.DOTALL).group(1)


def test_the_python_example_runs(capsys):
    """The Python example prints a verdict, a ratio and a bracket."""
    exec(compile(block("python"), "README.md", "exec"), {})  # our own README, not a stranger's
    assert capsys.readouterr().out.startswith("HOLDS 6.5")


def test_the_problem_file_is_valid():
    """The TOML example is a complete problem."""
    problem = read_problem(tomllib.loads(block("toml")))
    found = certify("martingale", process=problem.process, law=problem.law, scheme=problem.scheme)
    assert found.verdict == "HOLDS"


OLD_FAITHFUL = load_problem(bundled_problem("old_faithful"))
ROWS = {
    "N(0, 1/4)": (ou(), Gaussian([0.0], 0.25), euler_maruyama(4, 400)),
    "N(0, I_100)": (ou(), Gaussian([0.0] * 100, 1.0), euler_maruyama(4, 1600)),
    "½N(±1, 1/4)": (ou(), GaussianMixture.two_modes(2.0, 0.5), euler_maruyama(5, 400)),
    "N(0, 9 I_2)": (vp("1/10+199/10*t"), Gaussian([0.0, 0.0], 9.0), euler_maruyama(1, 500)),
    "N(0, 1), position": (cld(), Gaussian([0.0], 1.0), euler_maruyama(8, 1600)),
    "½N(±1, 1/4), position": (cld(), GaussianMixture.two_modes(2.0, 0.5), euler_maruyama(10, 800)),
    "Old Faithful, smoothed 0.7": (ou(), OLD_FAITHFUL.law, OLD_FAITHFUL.scheme),
}


@pytest.mark.parametrize("data", ROWS)
def test_the_table_is_what_the_tool_says(data):
    """Exact W2 and both martingale bounds in the README's table are current to the digits shown."""
    (line,) = [line for line in README.splitlines() if line.startswith("|") and f"| {data} |" in line]
    exact, plain, coupled = (cell.strip() for cell in line.split("|")[4:7])
    process, law, sampler = ROWS[data]
    shown = {"martingale": plain, "martingale-coupled": coupled}
    setting = setting_of(process, law, sampler)
    truth = measure(setting, law)
    found = {
        key: certify_setting(theorems()[key], setting, law, truth) for key in shown if shown[key] != "–"
    }
    assert len(found) == (2 if process.blocks == 1 else 1)
    for key, certificate in found.items():
        assert certificate.measured.midpoint == pytest.approx(float(exact), rel=PRINTED)
        assert certificate.bound.total == pytest.approx(float(shown[key]), rel=PRINTED)
