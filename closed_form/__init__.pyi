"""The public names as type checkers read them: what ``__init__`` loads on first use."""

from closed_form.bracket import Bracket as Bracket
from closed_form.distances.gaussian import w2_gaussian as w2_gaussian
from closed_form.distances.line import w2_line as w2_line
from closed_form.distances.sample_line import w2_sample_to_law as w2_sample_to_law
from closed_form.distances.samples import w2_samples as w2_samples
from closed_form.geometry.stated_constants import contradiction as contradiction
from closed_form.laws.funnel import Funnel as Funnel
from closed_form.laws.gaussian import Gaussian as Gaussian
from closed_form.laws.mixture import GaussianMixture as GaussianMixture
from closed_form.laws.samples import read_samples as read_samples
from closed_form.laws.samples import smoothed_data as smoothed_data
from closed_form.own_law import OwnLaw as OwnLaw
from closed_form.posteriors.law import posterior as posterior
from closed_form.sampler_laws.w2 import sampler_w2 as sampler_w2
