"""Moment equations of the numbers of molecules, as text or LaTeX: what follows from the reactions alone, unclosed.

    d <N_a> / dt = sum over reactions r of nu_ar <w_r>

with the stoichiometric change nu and the mean rate of events w: of molecules (empty sites 0 for creation), of those
with an empty neighbour where a second product needs room, and of pairs of neighbours in a collision. These are the
first equations of the moment hierarchy (`dbd.kinetics.moment_hierarchy`) on a lattice without walls: pairs depend on
triplets, and so on, which is what a model closes.
"""

from collections.abc import Mapping
from typing import NamedTuple

from dbd.kinetics.reactions import EMPTY, ReactionNetwork


class _Form(NamedTuple):
    """How equations are written."""

    mean: str  # of a count
    room: str  # of molecules with an empty neighbour
    slope: str
    joined: str
    around: str


FORMS: Mapping[str, _Form] = {
    "text": _Form("<{}>", "<{} with room>", "d <{}>/dt = {}", "\n", "{}\n"),
    "latex": _Form(
        r"\langle {} \rangle",
        r"\langle {} \rangle_\mathrm{{room}}",
        r"  \frac{{\mathrm{{d}}\langle {} \rangle}}{{\mathrm{{d}}t}} &= {}",
        " \\\\\n",
        "\\begin{{align*}}\n{}\n\\end{{align*}}\n",
    ),
}


def moment_equations(network: ReactionNetwork, dimension: int, dt: float, form: str = "text") -> str:
    """Return the equations on a lattice of `dimension` axes with time step `dt`; `form` is one of `FORMS`."""
    names, written = ["0", *network.species], FORMS[form]
    speeds = []
    for reaction, chance in zip(network.reactions, network.chances, strict=True):
        letters = "".join(names[occupancy] for occupancy in sorted(reaction.reactants or (EMPTY,)))
        if reaction.bimolecular:  # either of two neighbours turns to the other
            speeds.append((chance / (dimension * dt), written.mean.format(letters)))
        else:
            needs_room = reaction.places[1] != EMPTY
            speeds.append((chance, (written.room if needs_room else written.mean).format(letters)))
    lines = []
    for name, change in zip(network.species, network.stoichiometry.tolist(), strict=True):
        terms = [(k * rate, what) for k, (rate, what) in zip(change, speeds, strict=True) if k * rate]
        total = " ".join(f"{'-' if k < 0 else '+'} {abs(k):g} {what}" for k, what in terms).removeprefix("+ ")
        lines.append(written.slope.format(name, total or "0"))
    return written.around.format(written.joined.join(lines))
