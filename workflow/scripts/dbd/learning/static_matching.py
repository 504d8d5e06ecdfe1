"""Static problems: the parameters of an exactly solvable chain that match measured moments.

The divergence from data to model at one time is, up to a constant, the mean over the data of -ln p(s; theta). It
depends on the data through few moments only. A Gaussian prior of precision `penalty` per measured lattice is added::

    L(theta) = ln Z(theta) - <theta . phi>_data - <ln sum_hidden exp(theta . phi)>_data + penalty |theta - centre|^2 / 2
    dL/dtheta_k = <phi_k>_model - <phi_k>_data + penalty (theta_k - centre_k)

where the first data term has the visible statistics and the second, over the hidden units at the visible data, the
others; <phi_k>_data averages hidden units given the visible ones. The prior does two things. Where the data leave a
parameter free (a count that is zero, an empty or full chain) it keeps the parameter finite, at the cost of a mismatch
of penalty |theta_k - centre_k| counts, far below the standard error of a measured mean. And it fixes the gauge of a
hidden layer: weight and hidden bias reach the visible law through little more than one effective coupling, so data
determine them up to a curve, of which the prior chooses the point nearest to its centre. The centre has a positive
weight, because the curve has a second branch at negative ones, and all branches meet in a saddle at weight zero.

The hidden layer sees the data through the numbers of bonds that hold no, one and two particles. These follow from A and
AA but for the two end sites, which belong to one bond each instead of two. Their occupancy is not among the moments and
is taken to be that of an average site, an error of a fraction of one bond in the whole chain.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from dbd.boltzmann.chain import Chain
from dbd.boltzmann.transfer_matrix import RANGE

PENALTY = 1e-2  # for 50 lattices: a prior of standard deviation 1.4
HIDDEN_CENTRE = (1.0, -2.0)  # where the prior expects weight and bias of a hidden layer
_TOLERANCE = 1e-12  # predicted decrease of the objective at which the iteration stops
_ROUNDING = 1e-13  # error of the objective per site, in which a decrease close to the minimum may drown
_ITERATIONS = 200
_LEAST, _MOST = 1e-3, 1e9  # range of the Levenberg-Marquardt damping, relative to the curvature


def centre(chain: Chain) -> np.ndarray:
    """Parameters at which the prior has its maximum, shape (parameter,): zero but for those of a hidden layer."""
    hidden = dict(zip(chain.observables[RANGE:], HIDDEN_CENTRE, strict=False))
    return np.array([hidden.get(name, 0.0) for name in chain.parameters])


class PenalisedDivergence(NamedTuple):
    """Penalised divergence per lattice and its derivatives; the leading axes are those of the parameters."""

    value: np.ndarray  # (...)
    gradient: np.ndarray  # (..., parameter)
    hessian: np.ndarray  # (..., parameter, parameter)

    @property
    def curvature(self) -> np.ndarray:
        """The Hessian with the absolute values of its eigenvalues: positive, so that second-order steps descend."""
        eigenvalues, vectors = np.linalg.eigh(self.hessian)
        return (vectors * np.abs(eigenvalues)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def objective(
    chain: Chain, theta: np.ndarray, moments: np.ndarray, observables: Sequence[str], penalty: float = PENALTY
) -> PenalisedDivergence:
    """Divergence L of data from the model at `theta` (..., parameter), without the constant entropy of the data.

    Parameters are those of `match`; `moments` has shape (..., observable). Raises ValueError if the observables lack a
    visible statistic of the model or, for a hidden layer, one particle or a pair.
    """
    theta, moments = np.asarray(theta, float), np.asarray(moments, float)
    weight_and_bias = chain.observables[RANGE:]
    model = chain.cumulants(theta)
    shift = theta - centre(chain)
    value = model.log_z + penalty / 2 * (shift**2).sum(axis=-1)
    gradient = model.mean[..., chain.own] + penalty * shift
    hessian = model.jacobian[..., chain.own, :] + penalty * np.eye(len(chain.parameters))
    for k, name in enumerate(chain.parameters):
        if name not in weight_and_bias:
            data = _moment(moments, observables, name)
            value -= theta[..., k] * data
            gradient[..., k] -= data
    if weight_and_bias:
        own = [chain.parameters.index(name) for name in weight_and_bias]
        bonds = _bonds(chain, moments, observables)
        particles = np.arange(3)
        drive = theta[..., own[:1]] * particles + theta[..., own[1:]]  # of a hidden unit above 0, 1 and 2 particles
        active = expit(drive)
        features = np.stack([particles, np.ones(3)])
        value -= (bonds * np.logaddexp(0.0, drive)).sum(axis=-1)
        gradient[..., own] -= (bonds * active) @ features.T
        spread = (bonds * active * (1.0 - active))[..., None, :] * features
        hessian[..., np.array(own)[:, None], own] -= spread @ features.T
    return PenalisedDivergence(value, gradient, hessian)


def match(chain: Chain, moments: np.ndarray, observables: Sequence[str], *, penalty: float = PENALTY) -> np.ndarray:
    """Parameters at which the divergence of measured moments from the model is least.

    Every point is a problem of its own, solved from a start that depends on its data alone, so the result does not
    depend on what else is matched. Steps are Newton's with the absolute eigenvalues of the Hessian (which is the Fisher
    matrix for a visible model, and may be indefinite with a hidden layer), damped after Levenberg and Marquardt.

    Parameters
    ----------
    chain
        The model.
    moments
        Mean counts over the lattice, shape (..., observable), e.g. (initial condition, time, observable).
    observables
        Their names. Needed are the visible statistics of the model and, for a hidden layer, one particle and a pair;
        others are not looked at.
    penalty
        Precision of the prior per measured lattice; positive.

    Returns
    -------
    float64, shape (..., parameter).

    Raises
    ------
    ValueError
        If an observable that the model needs is missing, or a moment is not finite.
    RuntimeError
        If a point has not converged.
    """
    moments = np.asarray(moments, float)
    if not np.isfinite(moments).all():
        raise ValueError("moments to match must be finite")
    data = moments.reshape(-1, moments.shape[-1])
    theta = _start(chain, data, observables)
    now = objective(chain, theta, data, observables, penalty)
    damping = np.full(len(theta), _LEAST)
    active = np.arange(len(theta))
    for _ in range(_ITERATIONS):
        step, decrease = _step(now.gradient[active], now.hessian[active], damping[active])
        trial = objective(chain, theta[active] + step, data[active], observables, penalty)
        better = trial.value <= now.value[active] + _ROUNDING * chain.size
        chosen = active[better]
        theta[chosen] += step[better]
        for old, new in zip(now, trial, strict=True):
            old[chosen] = new[better]
        damping[active] = np.clip(damping[active] * np.where(better, 0.1, 10.0), _LEAST, _MOST)
        active = active[~(better & (decrease < _TOLERANCE))]
        if not len(active):
            return theta.reshape(*moments.shape[:-1], theta.shape[-1])
    raise RuntimeError(f"{len(active)} of {len(theta)} sets of moments could not be matched by {chain}")


def _step(gradient: np.ndarray, hessian: np.ndarray, damping: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Damped Newton steps, at most one long in any direction of the eigenvectors, and the decrease they predict."""
    curvature, directions = np.linalg.eigh(hessian)
    curvature = np.abs(curvature)
    slope = np.einsum("...ij,...i->...j", directions, gradient)
    length = np.clip(-slope / (curvature * (1.0 + damping[:, None])), -1.0, 1.0)
    return np.einsum("...ij,...j->...i", directions, length), -(slope * length).sum(axis=-1) / 2


def _start(chain: Chain, moments: np.ndarray, observables: Sequence[str]) -> np.ndarray:
    """The centre of the prior, with the bias that gives a site the measured density, but for the hidden layer."""
    start = np.tile(centre(chain), (len(moments), 1))
    single = chain.observables[0]
    if single in chain.parameters:
        density = (_moment(moments, observables, single) + 0.5) / (chain.size + 1)
        start[:, chain.parameters.index(single)] = logit(density)
    return start


def _bonds(chain: Chain, moments: np.ndarray, observables: Sequence[str]) -> np.ndarray:
    """Expected numbers of bonds that hold 0, 1 and 2 particles; shape (..., 3)."""
    single, pair = chain.observables[:2]
    particles, pairs = _moment(moments, observables, single), _moment(moments, observables, pair)
    occupied_ends = 2.0 * particles / chain.size
    singles = 2.0 * (particles - pairs) - occupied_ends
    return np.stack([chain.size - 1 - singles - pairs, singles, pairs], axis=-1)


def _moment(moments: np.ndarray, observables: Sequence[str], name: str) -> np.ndarray:
    """One observable of `moments` (..., observable)."""
    if name not in list(observables):
        raise ValueError(f"matching needs the moment {name}; given are {', '.join(observables)}")
    return moments[..., list(observables).index(name)]
