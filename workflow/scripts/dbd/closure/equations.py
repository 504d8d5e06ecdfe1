"""The differential equations of a learned model in words: a learned function is its name, domain and grid."""

from collections.abc import Callable, Mapping, Sequence

from dbd.closure.system import System

GREEK = {"theta": r"\theta", "var": r"\Sigma"}


def _sum(terms: Sequence[tuple[float, str]]) -> str:
    """Sum of terms with integer or real factors."""
    parts = [f"{'-' if k < 0 else '+'} {'' if abs(k) == 1 else f'{abs(k):g} '}{term}" for k, term in terms]
    return " ".join(parts).removeprefix("+ ") or "0"


def _right(system: System, parameter: int, symbols: Sequence[str], speeds: Sequence[str]) -> str:
    """Right-hand side of a parameter."""
    terms = [(k, speed) for k, speed in zip(system.rates.change[parameter], speeds, strict=True) if k]
    relaxation = system.rates.relaxation[parameter]
    return _sum(terms + [(-relaxation, symbols[parameter])] * bool(relaxation))


def text(system: System, title: str) -> str:
    """Equations as plain text, a line each."""
    symbols, domain = system.symbols, ", ".join(system.symbols[k] for k in system.domain)
    reactions = int(system.rates.flux.sum())
    speeds = [
        f"a_{f + 1}" if f < reactions else f"F_{name.replace(' ', '_')}({domain})"
        for f, name in enumerate(system.functions)
    ]
    lines = [f"{title}; time in units of the rates"]
    if system.species:
        lines += ["n: molecules per site, n_0: empty sites; J: couplings at fixed composition"]
    else:
        lines += ["theta: parameters of the Boltzmann distribution p ~ exp(theta . counts)"]
    lines += ["", *(f"d {symbol}/dt = {_right(system, k, symbols, speeds)}" for k, symbol in enumerate(symbols)), ""]
    density = ["n_0", *map(system.identifier, system.species)]
    for f in range(reactions):
        lines += [f"a_{f + 1} = {system.flux(f, density, ' ')} exp(g_{f + 1}({domain}))    {system.functions[f]}"]
    lines += [""] * bool(reactions) + [
        f"{'g and F' if reactions else 'F'}: piecewise cubic (Q3 C1 elements) on the grid"
    ]
    grid = system.grid
    for k, low, high, n in zip(system.domain, grid.lower, grid.upper, grid.shape, strict=True):
        lines += [f"  {symbols[k]} from {low:.4g} to {high:.4g} in {n - 1} cells"]
    return "\n".join(lines) + "\n"


def latex(system: System, title: str) -> str:
    """Equations as a LaTeX environment ``align*``, and the grid of the functions in a comment."""
    reactions = int(system.rates.flux.sum())

    def symbol(name: str) -> str:
        letter, _, word = system.identifier(name).partition("_")
        return rf"{GREEK.get(letter, letter)}_\mathrm{{{word}}}"

    symbols = [symbol(name) for name in system.names]
    domain = ", ".join(symbols[k] for k in system.domain)
    speeds = [
        f"a_{{{f + 1}}}" if f < reactions else rf"F_\mathrm{{{name}}}({domain})"
        for f, name in enumerate(system.functions)
    ]
    rows = [
        rf"\frac{{\mathrm{{d}}{symbol}}}{{\mathrm{{d}}t}} &= {_right(system, k, symbols, speeds)}"
        for k, symbol in enumerate(symbols)
    ]
    density = ["n_0", *map(symbol, system.species)]
    for f in range(reactions):
        arrow = system.functions[f].replace("->", r"\to")
        flux = system.flux(f, density, r"\,")
        rows += [rf"a_{{{f + 1}}} &= {flux}\,\mathrm{{e}}^{{g_{{{f + 1}}}({domain})}} && \text{{${arrow}$}}"]
    grid = system.grid
    cells = [
        f"{low:.4g} to {high:.4g} in {n - 1} cells"
        for low, high, n in zip(grid.lower, grid.upper, grid.shape, strict=True)
    ]
    body = " \\\\\n".join(f"  {row}" for row in rows)
    return f"% {title}; functions on {', '.join(cells)}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


FORMS: Mapping[str, Callable[[System, str], str]] = {"text": text, "latex": latex}
