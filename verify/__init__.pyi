"""The public names as type checkers read them: what ``__init__`` loads on first use."""

from verify.certificates.certificate import Certificate as Certificate
from verify.certificates.certificate import Verdict as Verdict
from verify.certificates.certificate import certify as certify
from verify.certificates.certificate import certify_setting as certify_setting
from verify.certificates.certificate import measure as measure
from verify.certificates.question import setting_of as setting_of
from verify.certificates.question import setting_of_problem as setting_of_problem
from verify.levels import grid_of_levels as grid_of_levels
from verify.levels import rho_grid as rho_grid
from verify.lower_sides.w2 import w2_from_samples as w2_from_samples
from verify.particles.own_score import torch_score as torch_score
from verify.particles.score_errors import score_error_of as score_error_of
from verify.particles.simulation import sample as sample
from verify.planning.by_bound import planner_of as planner_of
from verify.planning.plan import Plan as Plan
from verify.problems.problem import Problem as Problem
from verify.problems.problem import bundled_problem as bundled_problem
from verify.problems.problem import load_problem as load_problem
from verify.problems.problem import read_problem as read_problem
from verify.sweeps.running import Swept as Swept
from verify.sweeps.running import sweep as sweep
