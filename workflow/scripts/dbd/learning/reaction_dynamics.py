"""Differential equations in mixed coordinates: numbers change by reactions alone, couplings relax and are driven.

    d n_a / dt = sum_r nu_ar k_r <what meets>_r exp(g_r(theta_D)),        d J_k / dt = F_k(theta_D) - J_k / tau

Where the reactions are not known, numbers are driven too: d n_a / dt = F_a(theta_D). In natural parameters all are
driven, without relaxation: d theta_k / dt = F_k(theta_D).

Where rates differ between trajectories, every function f is linear in how far they are from a reference:

    f = f_0(theta_D) + sum_r (k_r / k_r0 - 1) f_r(theta_D)

g_r and F_k are functions on Q3 C1 elements over the domain D. What meets are the numbers of independent sites: the
densities of the reactants, empty sites for creation, and where a second product needs room the chance that one of the
molecules that are tried has an empty neighbour. So numbers never become negative, the lattice is never more than full
and what reactions conserve is conserved, whatever is learned (stoichiometric form). Every molecule hops once in a time
step, which takes away correlations of neighbours within a few of them; with this built in (tau), F only has to say
where couplings go.

Trajectories are those of the classical Runge-Kutta scheme of order four, in smaller steps where a lattice nearly fills
or empties within one; sensitivities are their exact derivatives.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.boltzmann.family import CompositionAndCouplings, Family
from dbd.kinetics.reactions import ATTEMPTS, ReactionNetwork
from dbd.learning.dynamics import map_blocks
from dbd.numerics.hermite import HermiteGrid, basis_at
from dbd.numerics.threads import parallel

RELAXATION = 0.3  # part of a coupling that diffusion takes away in a time step
STEADY = 1.5  # largest product of a Runge-Kutta step and the rate at which a parameter relaxes; stable up to 2.8
MOST_STEPS = 64  # Runge-Kutta steps in a time step, whatever happens in it
ROUNDING = 1e-9  # of densities


class Rates(NamedTuple):
    """Functions g_r and F_k and what they do, as arrays; Q functions, P parameters, S species."""

    change: np.ndarray  # float64 (P, Q): change of the parameters by each
    constant: np.ndarray  # float64 (Q,): k_r; 1 for couplings
    power: np.ndarray  # int64 (Q, S + 1): exponents of the densities of empty sites and of every species
    room: np.ndarray  # int64 (Q,): neighbours of all molecules tried, of which one has to be empty; 0 for no such need
    flux: np.ndarray  # bool (Q,): whether it is a reaction
    relaxation: np.ndarray  # float64 (P,): rate at which a parameter relaxes to zero
    species: np.ndarray  # int64 (S,): places of the densities among the parameters


@dataclass(frozen=True)
class ReactionDynamics:
    """Differential equations of a model in mixed coordinates.

    Parameters
    ----------
    grid
        Grid over the domain, one axis for each entry of `domain`.
    family
        The model in its coordinates.
    network
        The reactions, by which densities change; None where they are not known, and for natural parameters.
    domain
        Indices of the parameters that the functions depend on.
    dt
        Time between recorded steps.
    substeps
        Runge-Kutta steps between two recorded ones, where nothing asks for more.
    reference
        k_r0 of every reaction whose rate functions depend on, not a number for all others; empty if there are none.

    Notes
    -----
    Visible couplings relax; what belongs to hidden layers, and covariances of the numbers between runs, do not.
    """

    grid: HermiteGrid
    family: Family
    network: ReactionNetwork | None
    domain: tuple[int, ...]
    dt: float
    substeps: int = 1
    reference: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.family.names

    @property
    def parameters(self) -> int:
        """Number of parameters, P."""
        return len(self.names)

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """Names of the functions: reactions that change numbers, then couplings."""
        by_reactions = self.family.model.species if self.network else ()
        reactions = [reaction.equation for reaction, *_ in self._reactions]
        return (*reactions, *(name for name in self.names if name not in by_reactions))

    @property
    def fluxes(self) -> list[int]:
        """Places among all reactions of those that are functions."""
        return [place for *_, place in self._reactions]

    @cached_property
    def _reactions(self) -> list[tuple]:
        """Reactions that change numbers, with the change, the constant and the place of each among all."""
        if self.network is None:
            return []
        found, network = [], self.network
        columns = zip(network.reactions, network.stoichiometry.T, network.chances, strict=True)
        for place, (reaction, change, constant) in enumerate(columns):
            if reaction.bimolecular:  # either of two molecules can move onto the other, once in a time step
                constant *= len({*reaction.reactants}) / self.dt
            if change.any():
                found.append((reaction, change, constant, place))
        return found

    @cached_property
    def rates(self) -> Rates:
        """The functions as kernels take them."""
        names, model = self.names, self.family.model
        mixed = isinstance(self.family, CompositionAndCouplings)
        species = model.species if mixed else ()
        relaxing = {*model.interactions} - {*species} if mixed else {}
        reactions, total = len(self._reactions), len(self.functions)
        place = np.array([names.index(name) for name in species], np.int64)
        rates = Rates(
            np.zeros((len(names), total)),
            np.ones(total),
            np.zeros((total, len(species) + 1), np.int64),
            np.zeros(total, np.int64),
            np.arange(total) < reactions,
            np.array([RELAXATION / self.dt if name in relaxing else 0.0 for name in names]),
            place,
        )
        neighbours = round(2 * len(model.lattice.bonds) / model.lattice.size)
        for f, (reaction, change, constant, _) in enumerate(self._reactions):
            rates.change[place, f] = change
            rates.constant[f] = constant
            for occupancy in reaction.reactants or (0,):
                rates.power[f, occupancy] += 1
            if not reaction.bimolecular and len(reaction.products) == 2:
                rates.room[f] = neighbours * ATTEMPTS
        for f, name in enumerate(self.functions[reactions:], reactions):
            rates.change[names.index(name), f] = 1.0
        return rates

    @cached_property
    def varied(self) -> np.ndarray:
        """Reactions whose rates functions depend on, V of them, among all; int64."""
        return np.flatnonzero(np.isfinite(self.reference))

    def weights(self, constants: np.ndarray) -> np.ndarray:
        """Weights (..., 1 + V) of f_0 and f_r at rates of all reactions, (..., reactions)."""
        deviation = constants[..., self.varied] / np.array(self.reference)[self.varied] - 1.0
        return np.concatenate([np.ones((*deviation.shape[:-1], 1)), deviation], axis=-1)

    def at(self, constants: np.ndarray, coefficients: np.ndarray) -> tuple["ReactionDynamics", np.ndarray]:
        """Equations at rates (reactions,), and the coefficients (Q, size) of f there from those of f_0, then all f_r.

        `coefficients` has the shape ((1 + V) Q, size).
        """
        network = self.network and self.network.with_constants(constants)
        parts = coefficients.reshape(1 + len(self.varied), -1, self.grid.size)
        total = parts[0] if len(parts) == 1 else np.tensordot(self.weights(constants), parts, 1)
        return replace(self, network=network, reference=()), np.ascontiguousarray(total)

    def at_each(self, constants: np.ndarray, coefficients: np.ndarray) -> list[tuple["ReactionDynamics", np.ndarray]]:
        """What `at` returns for every trajectory, from its rates (R, reactions); the same object for the same rates."""
        found = {rates: self.at(np.array(rates), coefficients) for rates in dict.fromkeys(map(tuple, constants))}
        return [found[tuple(rates)] for rates in constants]

    @property
    def arguments(self) -> tuple:
        """Arguments that all kernels share."""
        return self.rates, self.grid.table, np.array(self.domain), self.dt, self.substeps

    def integrate(
        self,
        coefficients: np.ndarray,
        initial: np.ndarray,
        steps: int,
        threads: int = 1,
        constants: np.ndarray | None = None,
    ) -> np.ndarray:
        """Trajectories (R, steps + 1, P) from initial conditions (R, P); coefficients of the functions (Q, size).

        At rates `constants` (R, reactions) the coefficients are those that `at` takes.
        """
        states = np.empty((len(initial), steps + 1, self.parameters))
        states[:, 0] = initial
        if constants is not None:
            systems = self.at_each(constants, coefficients)

            def run(index: int) -> None:
                system, own = systems[index]
                _integrate(*system.arguments, np.ascontiguousarray(own.T), states[index : index + 1])

            parallel(run, range(len(initial)), threads)
            return states
        turned = np.ascontiguousarray(coefficients.T)
        map_blocks(lambda part: _integrate(*self.arguments, turned, states[part]), len(initial), threads)
        return states

    def excess(self, states: np.ndarray) -> np.ndarray:
        """How far the domain parameters of states (..., P) are outside the grid, in grid units; 0 inside."""
        return self.grid.excess(states[..., list(self.domain)])

    def sensitivity(
        self, coefficients: np.ndarray, trajectory: np.ndarray, span: np.ndarray, times: np.ndarray
    ) -> np.ndarray:
        """Derivatives of one trajectory with respect to the functions' coefficients in a span.

        Parameters
        ----------
        coefficients
            Of the elements, (Q, size).
        trajectory
            As integrated with them, (times, P).
        span
            Coefficients of the elements of M functions, (size, M).
        times
            Steps at which derivatives are asked for, ascending.

        Returns
        -------
        float64, shape (len(times), P, Q * M).
        """
        derivative = np.zeros((len(times), self.parameters, len(coefficients) * span.shape[1]))
        _sensitivity(*self.arguments, np.ascontiguousarray(coefficients.T), trajectory, span, times, derivative)
        return derivative


@njit(cache=True, nogil=True)
def _slope(rates, table, domain, coefficients, state, weight, gradient, slope, jacobian, response):
    """Fill d state / dt (P,), its derivative (P, P), and that with respect to the functions (P, Q).

    Also the basis `weight` (4^d,) at the state and its `gradient` (d, 4^d); return the first coefficient of its cell.
    """
    parameters, functions = rates.change.shape
    kinds = rates.power.shape[1]
    point = np.empty(len(domain))
    for m in range(len(domain)):
        point[m] = state[domain[m]]
    first = basis_at(table, point, weight, gradient)
    density = np.empty(kinds)  # of empty sites and of every species
    density[0] = 1.0
    for a in range(1, kinds):
        density[a] = max(state[rates.species[a - 1]], 0.0)
        density[0] -= density[a]
    density[0] = max(density[0], 0.0)
    for k in range(parameters):
        slope[k] = -rates.relaxation[k] * state[k]
        for j in range(parameters):
            jacobian[k, j] = 0.0
        jacobian[k, k] = -rates.relaxation[k]
    values, value_gradient = np.zeros(functions), np.zeros((len(domain), functions))
    for local in range(len(weight)):  # all functions at once, side by side in memory
        u = coefficients[first + table.offset[local]]
        for f in range(functions):
            values[f] += u[f] * weight[local]
        for m in range(len(domain)):
            slope_of_basis = gradient[m, local]
            for f in range(functions):
                value_gradient[m, f] += u[f] * slope_of_basis
    by_density = np.zeros(kinds)
    for f in range(functions):
        speed, by_value = values[f], 1.0
        if rates.flux[f]:
            meeting = rates.constant[f]
            for a in range(kinds):
                meeting *= density[a] ** rates.power[f, a]
                by_density[a] = 0.0
                if rates.power[f, a] > 0:
                    by_density[a] = rates.constant[f] * rates.power[f, a] * density[a] ** (rates.power[f, a] - 1)
                    for b in range(kinds):
                        if b != a:
                            by_density[a] *= density[b] ** rates.power[f, b]
            if rates.room[f] > 0:
                full = (1.0 - density[0]) ** (rates.room[f] - 1)
                for a in range(kinds):
                    by_density[a] *= 1.0 - full * (1.0 - density[0])
                by_density[0] += meeting * rates.room[f] * full
                meeting *= 1.0 - full * (1.0 - density[0])
            factor = np.exp(values[f])
            speed = by_value = meeting * factor
        for k in range(parameters):
            change = rates.change[k, f]
            response[k, f] = change * by_value
            if change != 0.0:
                slope[k] += change * speed
                for m in range(len(domain)):
                    jacobian[k, domain[m]] += change * by_value * value_gradient[m, f]
                if rates.flux[f]:
                    for a in range(1, kinds):
                        jacobian[k, rates.species[a - 1]] += change * factor * (by_density[a] - by_density[0])
    return first


@njit(cache=True, nogil=True)
def _sound(rates, state, jacobian, h):
    """Whether no site is short or in surplus at a stage, and no parameter relaxes too fast for Runge-Kutta steps h."""
    empty = 1.0
    for a in rates.species:
        empty -= state[a]
        if state[a] < -ROUNDING:
            return False
    for k in range(len(state)):
        if -jacobian[k, k] * h > STEADY:
            return False
    return empty > -ROUNDING


@njit(cache=True, nogil=True)
def _advance(rates, table, domain, dt, substeps, coefficients, before, after, weight, gradient, jacobian, response):
    """Fill the state `after` a time step (P,); return the number of Runge-Kutta steps that it took.

    These are `substeps`, doubled until every stage is sound.
    """
    ahead, share = np.array([0.0, 0.5, 0.5, 1.0]), np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
    slope = np.zeros(len(before))
    steps = substeps
    while True:
        h, sound, last = dt / steps, True, 2 * steps > MOST_STEPS
        after[:] = before
        for _ in range(steps):
            start = after.copy()
            for i in range(4):
                stage = start + h * ahead[i] * slope if i > 0 else start
                _slope(rates, table, domain, coefficients, stage, weight, gradient, slope, jacobian, response)
                sound = sound and _sound(rates, stage, jacobian, h)
                after += h * share[i] * slope
            if not (sound or last):
                break
        if sound or last:
            return steps
        steps *= 2


@njit(cache=True, nogil=True)
def _integrate(rates, table, domain, dt, substeps, coefficients, states):
    """Fill states[:, 1:] of trajectories (R, times, P); coefficients (size, Q)."""
    parameters, functions = rates.change.shape
    weight, gradient = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    jacobian, response = np.empty((parameters, parameters)), np.empty((parameters, functions))
    work = weight, gradient, jacobian, response
    for r in range(len(states)):
        for n in range(1, states.shape[1]):
            _advance(rates, table, domain, dt, substeps, coefficients, states[r, n - 1], states[r, n], *work)


@njit(cache=True, nogil=True)
def _sensitivity(rates, table, domain, dt, substeps, coefficients, trajectory, span, times, derivative):
    """Fill the derivatives (times, P, Q * M) of a trajectory with respect to coefficients in a span (size, M)."""
    parameters, functions = rates.change.shape
    width = span.shape[1]
    weight, gradient = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    slope, jacobian = np.zeros(parameters), np.empty((4, parameters, parameters))
    response, basis, after = np.empty((4, parameters, functions)), np.empty((4, width)), np.empty(parameters)
    ahead, share = np.array([0.0, 0.5, 0.5, 1.0]), np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
    total = np.zeros((parameters, functions * width))
    onward = np.zeros((4, parameters, parameters))  # derivative of the end of a step by the slope of a stage
    found = 0
    for n in range(len(trajectory)):
        if n > 0:
            state = trajectory[n - 1].copy()
            work = weight, gradient, jacobian[0], response[0]
            steps = _advance(rates, table, domain, dt, substeps, coefficients, state, after, *work)
            h = dt / steps
            for _ in range(steps):
                start = state.copy()
                for i in range(4):
                    stage = start + h * ahead[i] * slope if i > 0 else start
                    first = _slope(
                        rates, table, domain, coefficients, stage, weight, gradient, slope, jacobian[i], response[i]
                    )
                    state += h * share[i] * slope
                    basis[i] = 0.0
                    for local in range(len(weight)):
                        for j in range(width):
                            basis[i, j] += weight[local] * span[first + table.offset[local], j]
                whole = np.eye(parameters)
                for i in range(3, -1, -1):
                    onward[i] = h * share[i] * np.eye(parameters)
                    if i < 3:
                        onward[i] += h * ahead[i + 1] * (onward[i + 1] @ jacobian[i + 1])
                    whole += onward[i] @ jacobian[i]
                total = whole @ total
                for i in range(4):
                    effect = onward[i] @ response[i]
                    for k in range(parameters):
                        for f in range(functions):
                            if effect[k, f] != 0.0:
                                for j in range(width):
                                    total[k, f * width + j] += effect[k, f] * basis[i, j]
        if found < len(times) and times[found] == n:
            derivative[found] = total
            found += 1
