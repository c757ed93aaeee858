"""Wrong versions of the chapter's central functions, and the claims that must notice each."""

import math
from collections.abc import Callable
from typing import Any

import torch

from explainers import fourier_density
from tests.chapters.wrong import Wrong

_autocorrelation, _log_power = fourier_density.autocorrelation, fourier_density.log_power
_log_normalizer, _begin = fourier_density.log_normalizer, fourier_density.FourierDensity.__init__
_log_prob: Callable[..., torch.Tensor] = torch.distributions.Normal.log_prob
_cdf: Callable[..., torch.Tensor] = torch.distributions.Normal.cdf


def mirrored(a: torch.Tensor) -> torch.Tensor:
    """The conjugate on the other factor."""
    return _autocorrelation(a).conj().resolve_conj()


def circular(a: torch.Tensor) -> torch.Tensor:
    """The Fourier transform without room for the shifts."""
    return torch.fft.ifft(torch.fft.fft(a).abs().square()).conj().resolve_conj()


def one_frequency_off(a: torch.Tensor) -> torch.Tensor:
    """Shift n taken for shift n + 1, and the mean left where it is."""
    c = _autocorrelation(a)
    return torch.cat([c[..., :1], c[..., 1:].roll(1, -1)], -1)


def unnormalised(a: torch.Tensor) -> torch.Tensor:
    """The logarithm of the area forgotten."""
    return torch.zeros(a.shape[:-1])


def cut_off(amplitude: torch.Tensor) -> torch.Tensor:
    """The gradient lost on the way."""
    return _log_power(amplitude).detach()


def bell_for_the_slope(u: torch.Tensor) -> torch.Tensor:
    """The slope of tanh as if it fell like a bell and not like an exponential."""
    return -u.square()


def summed(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The curve as a sum over its coefficients, equal in algebra, and not as a square."""
    c = _autocorrelation(a)
    n = torch.arange(1, a.shape[-1], dtype=x.dtype)
    waves = torch.exp(1j * math.pi * n * x[..., None])
    curve = c[..., 0].real + 2 * (c[..., 1:] * waves).real.sum(-1)
    return curve.log() - _log_normalizer(a)


def one_wave_more(self: fourier_density.FourierDensity, num_frequencies: int, **keywords: Any) -> None:
    """A list that is longer than it should be by one."""
    _begin(self, num_frequencies + 1, **keywords)


def variance_for_width(self: torch.distributions.Normal, value: torch.Tensor) -> torch.Tensor:
    """The width of a Gaussian taken for its variance, in its density."""
    return _log_prob(torch.distributions.Normal(self.loc, self.scale.sqrt()), value)


def variance_for_width_in_cdf(self: torch.distributions.Normal, value: torch.Tensor) -> torch.Tensor:
    """The same in its distribution function."""
    return _cdf(torch.distributions.Normal(self.loc, self.scale.sqrt()), value)


def stands_still(self: torch.optim.Adam, closure: object = None) -> None:
    """An optimizer that takes no step."""


normal = torch.distributions.normal
WRONG = {
    "mirrored": Wrong(fourier_density, "autocorrelation", mirrored, {"FD-21", "FD-26", "FD-39"}),
    "circular": Wrong(
        fourier_density, "autocorrelation", circular, {"FD-17", "FD-21", "FD-22", "FD-24", "FD-X6"}
    ),
    "one frequency off": Wrong(
        fourier_density, "autocorrelation", one_frequency_off, {"FD-21", "FD-24", "FD-26"}
    ),
    "unnormalised": Wrong(
        fourier_density, "log_normalizer", unnormalised, {"FD-25", "FD-26", "FD-27", "FD-X1", "FD-X3"}
    ),
    "cut off": Wrong(fourier_density, "log_power", cut_off, {"FD-05", "FD-28"}),
    "a bell for a slope": Wrong(fourier_density, "log_sech2", bell_for_the_slope, {"FD-X4"}),
    "a sum for a square": Wrong(fourier_density, "log_density", summed, {"FD-X5"}),
    "one wave more": Wrong(fourier_density, "FourierDensity.__init__", one_wave_more, {"FD-40"}),
    "a variance for a width": Wrong(normal, "Normal.log_prob", variance_for_width, {"FD-04", "FD-07"}),
    "a variance in the cdf": Wrong(normal, "Normal.cdf", variance_for_width_in_cdf, {"FD-37"}),
    "an optimizer that stands still": Wrong(torch.optim, "Adam.step", stands_still, {"FD-12"}),
}
# Claims that hold by proof alone: the mutants of these derivations are refused
PROVED = {"FD-16", "FD-X2"}
DERIVATIONS = [
    "Mirrored coefficients make a real function",
    "The same for the waves that turn the other way",
    "A coefficient is an average",
    "If $f$ is real, its coefficients mirror each other",
    "An autocorrelation makes a square",
    "The area under the waves",
    "The matrix of size four passes",
    "The matrix of size five fails",
    "The curve of these coefficients",
    "A list for one wave: its length",
    "A list for one wave: its autocorrelation",
    "A zero may be reflected",
    "The distribution function: its slope and its two ends",
    "The distribution function at the left end",
    "The distribution function at the right end",
    "The printed formula at the right end",
    "The slope of the printed formula, with one wave",
    "The slope of tanh, without a difference",
    "The density on the real line",
    "The map tends to both ends",
    "The map tends to both ends",
    "The penalty when the list is scaled by $r$",
    "What the regulariser measures",
    "The leading minor of size 1",
    "The leading minor of size 2",
    "The leading minor of size 3",
    "The leading minor of size 4",
    "The leading minor of size 5",
    "The printed formula with one wave: its imaginary part",
]
