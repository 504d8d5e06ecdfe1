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

Trajectories and their sensitivities are those of `dbd.learning.reaction_kernels`.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dbd.boltzmann.family import CompositionAndCouplings, Family
from dbd.kinetics.reactions import ATTEMPTS, ReactionNetwork
from dbd.learning.dynamics import map_blocks
from dbd.learning.reaction_kernels import Rates, integrate, sensitivity
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.threads import parallel

RELAXATION = 0.3  # part of a coupling that diffusion takes away in a time step


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
                integrate(*system.arguments, np.ascontiguousarray(own.T), states[index : index + 1])

            parallel(run, range(len(initial)), threads)
            return states
        turned = np.ascontiguousarray(coefficients.T)
        map_blocks(lambda part: integrate(*self.arguments, turned, states[part]), len(initial), threads)
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
        sensitivity(*self.arguments, np.ascontiguousarray(coefficients.T), trajectory, span, times, derivative)
        return derivative
