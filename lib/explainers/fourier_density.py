"""A density on an interval, or on the line, as the squared modulus of a short Fourier sum.

After A. De la Fuente, S. Singh, J. Ballé, "Fourier Basis Density Model" (arXiv 2402.15345), and Su Jianlin's
article on it (kexue.fm, archive 10007). Any complex numbers a_0 ... a_N are the parameters. With

    A(x) = sum_{k=0}^N a_k exp(-i pi k x),         c_n = sum_{k=0}^{N-n} a_k conj(a_{k+n}),  c_{-n} = conj(c_n),
    f(x) = |A(x)|^2 = sum_{n=-N}^N c_n exp(i pi n x),     integral of f over [-1, 1] = 2 c_0 = 2 sum |a_k|^2,

p = f / (2 c_0) is a density on [-1, 1]: never negative because it is a square, and normalised by one division.
By the theorem of Fejér and Riesz every density with frequencies up to N is of this form.

The functions take `a` of shape (*batch, N + 1) and points in [-1, 1] whose shape broadcasts against batch
from the right, as in torch.distributions; they check nothing. `FourierDensity` holds the parameters and checks.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Complex, Float
from torch import Tensor, nn

Number = float | int


def autocorrelation(a: Complex[Tensor, "*batch waves"]) -> Complex[Tensor, "*batch waves"]:
    """The Fourier coefficients c_0 ... c_N of f = |A|^2 (the paper's parametrisation): c_0 is real and positive.

    The Fourier transform turns the sum over pairs into a product. It sees `a` as periodic, so `a` is padded
    with at least N zeros: without them lag n would wrap around and mix with lag n - (N + 1).
    """
    waves = a.shape[-1]
    power = torch.fft.fft(a, n=2 * waves).abs().square()
    # ifft gives sum a_{k+n} conj(a_k), the density read from right to left; conj turns it back
    return torch.fft.ifft(power)[..., :waves].conj().resolve_conj()


def phase(x: Float[Tensor, "*shape"]) -> Complex[Tensor, "*shape"]:
    """exp(-i pi x) for |x| <= 1, exact at x = 0 and at both edges.

    In floating point sin(pi) is not 0. With the nearest whole number taken off first, the two edges give the
    very same number, as they must in a periodic model, and a zero of the density there is a zero.
    """
    whole = x.round()
    angle = (x - whole) * math.pi
    sign = 1 - 2 * whole.abs()
    return torch.complex(sign * torch.cos(angle), -sign * torch.sin(angle))


def waves(x: Float[Tensor, "*shape"], num_frequencies: int) -> Complex[Tensor, "*shape waves"]:
    """The basis exp(-i pi k x) for k = 0 ... num_frequencies: worth keeping when x never changes."""
    z = phase(x).unsqueeze(-1)
    return torch.cat([torch.ones_like(z), z.expand(*x.shape, num_frequencies)], -1).cumprod(-1)


def amplitude(a: Complex[Tensor, "*#shape waves"], x: Float[Tensor, "*#shape"]) -> Complex[Tensor, "..."]:
    """A(x) = sum_k a_k z^k with z = exp(-i pi x), by Horner's rule: one sine and one cosine per point."""
    z = phase(x)
    total = a[..., -1]
    for k in range(a.shape[-1] - 2, -1, -1):
        total = a[..., k] + total * z
    return total.expand(torch.broadcast_shapes(total.shape, z.shape))


def log_power(amplitude: Complex[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """log |A|^2, and -inf where A = 0. Twice log |A| would take a square root in vain."""
    return (amplitude.real.square() + amplitude.imag.square()).log()


def log_mass(a: Complex[Tensor, "*batch waves"]) -> Float[Tensor, "*batch"]:
    """log of the integral of |A|^2 over [-1, 1], which is 2 c_0 = 2 sum |a_k|^2."""
    return (2 * torch.view_as_real(a).square().sum((-2, -1))).log()


def log_density(a: Complex[Tensor, "*#shape waves"], x: Float[Tensor, "*#shape"]) -> Float[Tensor, "..."]:
    """log p(x) in nats, and -inf at a zero of p.

    From |A|^2: the sum of cosines, equal in algebra, rounds to small negative numbers where p is near 0.
    """
    return log_power(amplitude(a, x)) - log_mass(a)


def cumulative(a: Complex[Tensor, "*#shape waves"], x: Float[Tensor, "*#shape"]) -> Float[Tensor, "..."]:
    """The integral of p from -1 to x, in closed form:

        (x + 1) / 2 + Re sum_{n=1}^N (c_n / c_0) (exp(i pi n x) - (-1)^n) / (i pi n).

    (The article prints (x^2 - 1) / 2 in front, which is 0 at x = 1.) The absolute error is a few roundings,
    so tiny differences of it should be taken in float64.
    """
    c = autocorrelation(a)
    n = torch.arange(a.shape[-1], device=a.device, dtype=x.dtype)
    b = c / (c[..., :1].real * (1j * math.pi * n.clamp(min=1)))  # n = 0 is the straight line in front
    b = torch.where(n == 0, 0, b).conj().resolve_conj()  # Re b w = Re conj(b) conj(w), and A has conj(w)
    wave = amplitude(b, x).real - amplitude(b, -torch.ones_like(x)).real
    return ((x + 1) / 2 + wave).clamp(0, 1)


def inverse_cumulative(a: Complex[Tensor, "*#shape waves"], u: Float[Tensor, "*#shape"]) -> Float[Tensor, "..."]:
    """The x with cumulative(a, x) = u: 24 halvings of [-1, 1], then two Newton steps kept in the bracket.

    Bisection alone needs 53 halvings in float64; Newton alone is lost where p is near 0.
    """
    shape = torch.broadcast_shapes(a.shape[:-1], u.shape)
    low, high = -u.new_ones(shape), u.new_ones(shape)
    for _ in range(24):
        middle = (low + high) / 2
        below = cumulative(a, middle) < u
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    x = (low + high) / 2
    for _ in range(2):
        newton = x - (cumulative(a, x) - u) / log_density(a, x).exp()
        x = torch.where(newton.isfinite(), newton, x).clamp(low, high)
    return torch.where(u <= 0, -1, torch.where(u >= 1, 1, x))


def roughness(a: Complex[Tensor, "*batch waves"]) -> Float[Tensor, "*batch"]:
    """The integral of p'(x)^2 over [-1, 1], which is the sum of 2 pi^2 n^2 |c_n / (2 c_0)|^2 over n = -N ... N.

    Of p, not of f: scaling `a` by r leaves p alone but multiplies the integral of f'^2 by r^4, so that a
    fit could escape the penalty by shrinking `a`.
    """
    c = autocorrelation(a)
    n = torch.arange(a.shape[-1], device=a.device)
    share = torch.view_as_real(c / c[..., :1].real).square().sum(-1)  # |c_n / c_0|^2
    return ((math.pi * n).square() * share).sum(-1)


def log_sech2(u: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """log(1 - tanh(u)^2) = log 4 - 2|u| - 2 log(1 + exp(-2|u|)).

    The left side is log 0 as soon as tanh rounds to 1, at |u| = 9 in float32; the right side never fails.
    """
    v = 2 * u.abs()
    return math.log(4) - v + 2 * F.logsigmoid(v)


class FourierDensity(nn.Module):
    """Independent densities of the family above, one for each place of `batch_shape`.

    `support` is (lo, hi), stretched over [-1, 1], or "real": then x = tanh((y - loc) / scale) with one trainable
    `loc` and `scale` for each density (equation for g in the paper). Outside a finite support log_prob is -inf
    and cdf 0 or 1, as in torch.distributions with validate_args=False. Values have the module's dtype and a shape
    that broadcasts against `batch_shape` from the right; results have the broadcast shape.

    A new module is the uniform density on x, a = (1, 0, ..., 0), which is also where `fit` starts. No noise is
    needed: the likelihood is concave in c_1 ... c_N (with c_0 = 1), and near this point every small change of c is
    reached by a change of `a`, so that the gradient vanishes here only where no density of the family does better.
    """

    def __init__(
        self,
        num_frequencies: int,
        *,
        support: tuple[Number, Number] | str = (-1.0, 1.0),
        batch_shape: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        if isinstance(num_frequencies, bool) or not isinstance(num_frequencies, int):
            raise TypeError(f"num_frequencies: {num_frequencies!r} is not an int")
        if num_frequencies < 1:
            raise ValueError(f"num_frequencies: {num_frequencies} is not at least 1")
        if isinstance(support, str):
            if support != "real":
                raise ValueError(f"support: {support!r} is neither 'real' nor a pair (lo, hi)")
        elif len(support) != 2 or not -math.inf < support[0] < support[1] < math.inf:
            raise ValueError(f"support: {support!r} is not a finite pair (lo, hi) with lo < hi")
        self.num_frequencies = num_frequencies
        self.support = support
        self.batch_shape = torch.Size(batch_shape)
        # pairs of reals, not complex numbers: Module.to(torch.float64) would drop imaginary parts
        self.parts = nn.Parameter(torch.zeros(*batch_shape, num_frequencies + 1, 2))
        if support == "real":
            self.loc = nn.Parameter(torch.zeros(batch_shape))
            self.log_scale = nn.Parameter(torch.zeros(batch_shape))  # its logarithm keeps the scale positive
        with torch.no_grad():
            self.parts[..., 0, 0] = math.sqrt(0.5)  # so that 2 c_0 = 1

    @property
    def a(self) -> Complex[Tensor, "*batch waves"]:
        """a_0 ... a_N. Many `a` give one density: turn all by a phase, scale all, or mirror a zero of A."""
        return torch.view_as_complex(self.parts)

    @property
    def scale(self) -> Float[Tensor, "*batch"]:
        """The positive width of the tanh map, in the units of the data; only with support="real"."""
        return self.log_scale.exp()

    @property
    def coefficients(self) -> Complex[Tensor, "*batch waves"]:
        """The Fourier coefficients c_n / (2 c_0) of the normalised density on [-1, 1], n = 0 ... N."""
        c = autocorrelation(self.a)
        return c / (2 * c[..., :1].real)

    @property
    def roughness(self) -> Float[Tensor, "*batch"]:
        """The integral of p'(x)^2 over x in [-1, 1], in the model's own coordinate whatever the support."""
        return roughness(self.a)

    def log_prob(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "..."]:
        """Log density in nats per unit of `value`; -inf at a zero of p and outside a finite support.

        Raises `TypeError` for another dtype, `ValueError` for NaN or a shape that does not broadcast.
        """
        self._check("value", value)
        if isinstance(self.support, str):
            u = (value - self.loc) / self.log_scale.exp()
            return log_density(self.a, torch.tanh(u)) + (log_sech2(u) - self.log_scale)
        lo, hi = self.support
        inside = log_density(self.a, self._to_unit(value)) - math.log((hi - lo) / 2)
        return torch.where((value >= lo) & (value <= hi), inside, -math.inf)

    def cdf(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "..."]:
        """The probability of a number up to `value`; 0 and 1 on either side of a finite support. Raises as log_prob."""
        self._check("value", value)
        return cumulative(self.a, self._to_unit(value))

    @torch.no_grad()
    def icdf(self, u: Float[Tensor, "*shape"]) -> Float[Tensor, "..."]:
        """The value with cdf(value) = u, without gradient, found in float64; the ends of the support for u = 0, 1.

        Raises `TypeError` for another dtype, `ValueError` where u is outside [0, 1].
        """
        self._check("u", u)
        if not ((u >= 0) & (u <= 1)).all():
            raise ValueError(f"u: {u.min().item()} ... {u.max().item()} is not within [0, 1]")
        return self._quantile(u.double()).to(u.dtype)

    @torch.no_grad()
    def sample(
        self, sample_shape: tuple[int, ...] = (), generator: torch.Generator | None = None
    ) -> Float[Tensor, "..."]:
        """Independent draws of shape sample_shape + batch_shape: the inverse of the cdf at uniform numbers."""
        shape = (*sample_shape, *self.batch_shape)
        # in float64, where the one number that the line would map to minus infinity does not turn up in 2^53 draws
        u = torch.rand(shape, generator=generator, dtype=torch.float64, device=self.parts.device)
        return self._quantile(u.clamp(min=2**-54)).to(self.parts.dtype)

    def fit(
        self,
        samples: Float[Tensor, "n *batch"],
        *,
        penalty: Number = 0.0,
        steps: int | None = None,
        method: str = "lbfgs",
        lr: Number | None = None,
        callback: Callable[[int, Tensor], object] | None = None,
    ) -> Float[Tensor, "taken *batch"]:
        """Fit afresh to `samples` (n, *batch_shape) by maximum likelihood; the earlier parameters are forgotten.

        Minimises the mean negative log-likelihood plus `penalty` times `roughness`, all densities at once, with
        all samples in every step: up to 300 steps of "lbfgs" (fewer once the loss stands still), or 1000 of "adam"
        with a rate that falls from `lr` = 0.02 to 0 along a cosine. Nothing is drawn at random.

        Returns the mean negative log-likelihood (nats, without penalty) after 0, 1, 2, ... steps, shape
        (steps taken + 1, *batch_shape); the last is that of the fitted model. `callback(step, nll)` sees the
        same numbers while the model has the parameters they belong to, and ends the fit by a true answer.

        Raises `TypeError` or `ValueError` for an argument before anything is changed, and `FloatingPointError`
        with the step when the loss is not finite, after the earlier parameters are put back.
        """
        self._check_fit(samples, penalty, steps, method, lr)
        steps = steps or (300 if method == "lbfgs" else 1000)
        before = {name: tensor.clone() for name, tensor in self.state_dict().items()}
        self._start(samples)
        nll = self._objective(samples)
        if method == "lbfgs":
            optimizer: torch.optim.Optimizer = torch.optim.LBFGS(
                self.parameters(), lr=lr or 1.0, max_iter=1, max_eval=25, history_size=20, tolerance_grad=0,
                line_search_fn="strong_wolfe",
            )  # fmt: skip
        else:
            optimizer = torch.optim.Adam(self.parameters(), lr=lr or 0.02)
        rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        history: list[Tensor] = []
        last = math.inf
        for step in range(steps + 1):
            optimizer.zero_grad()
            value = nll()
            loss = (value + penalty * self.roughness).sum()
            if not loss.isfinite():
                self.load_state_dict(before)
                raise FloatingPointError(f"the loss is {loss.item()} at step {step}; the parameters are as before")
            history.append(value.detach())
            if (callback is not None and callback(step, history[-1])) or step == steps:
                break
            known = [loss]
            ...
        return torch.stack(history)
