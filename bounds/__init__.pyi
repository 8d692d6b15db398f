"""The public names as type checkers read them: what ``__init__`` loads on first use."""

from bounds.assumptions.bounded_support import BoundedSupport as BoundedSupport
from bounds.assumptions.log_lipschitz import LogLipschitz as LogLipschitz
from bounds.assumptions.smoothed_support import SmoothedSupport as SmoothedSupport
from bounds.assumptions.strong_log_concave import StronglyLogConcave as StronglyLogConcave
from bounds.assumptions.weak_log_concave import WeaklyLogConcave as WeaklyLogConcave
from bounds.bound import Bound as Bound
from bounds.grid import TimeGrid as TimeGrid
from bounds.noise_levels import DiscreteSchedule as DiscreteSchedule
from bounds.process import ForwardProcess as ForwardProcess
from bounds.processes.cld import cld as cld
from bounds.processes.edm import edm as edm
from bounds.processes.flow_matching import flow_matching as flow_matching
from bounds.processes.general import general as general
from bounds.processes.langevin import langevin as langevin
from bounds.processes.ou import ou as ou
from bounds.processes.sub_vp import sub_vp as sub_vp
from bounds.processes.ve import ve as ve
from bounds.processes.vp import vp as vp
from bounds.sampler import Scheme as Scheme
from bounds.sampler import ancestral as ancestral
from bounds.sampler import ddim as ddim
from bounds.sampler import euler_maruyama as euler_maruyama
from bounds.sampler import euler_maruyama_lambda as euler_maruyama_lambda
from bounds.sampler import exponential_integrator as exponential_integrator
from bounds.sampler import frozen_euler_maruyama as frozen_euler_maruyama
from bounds.sampler import ode_euler as ode_euler
from bounds.sampler import ode_exponential as ode_exponential
from bounds.sampler import posterior_mean as posterior_mean
from bounds.sampler import posterior_mean_matched as posterior_mean_matched
from bounds.sampler import scheme as scheme
from bounds.score_error import ScoreError as ScoreError
from bounds.setting import Setting as Setting
from bounds.steps.formulas import own_sampler as own_sampler
from bounds.theorem import NotApplicable as NotApplicable
from bounds.theorem import Theorem as Theorem

__version__: str
