"""Defaults of a study that follow from the rest of it: what is not said about models, observables and starts.

A study needs species, reactions, a lattice, initial numbers of molecules and the interactions of its models. What
follows from these is filled in here, before types are checked, so that everything later reads one complete study.
Whatever does not look as expected is left as it is, for the checks to complain about.
"""

from collections.abc import Mapping
from itertools import combinations_with_replacement
from typing import Any

from dbd.lattice.observables import LONGEST_WORD

BIAS = (-6.0, 3.0)  # default grid along a bias of the visible layer: from one site in 400 to 19 in 20
STEPS = 100  # default number of time steps of an ensemble
COUPLING = (-3.0, 3.0)  # along any other parameter
SPACING = 0.75
AXES = 3  # parameters that right-hand sides depend on
WITHOUT_MODELS = ("moments", "rmse")  # figures of a study that has baselines alone
PREDICTION = {"lattices": 100, "sweeps": 20}  # sampling law of models without exact moments
EXACT, SAMPLED = {"recipe": "gauss_newton"}, {"recipe": "matched_trajectories"}
REDUCED, RUNS = "reduced_runs", 4000  # runs that predictions are averages of
SWEEPS = (50, 200, 1000)  # numbers of sweeps that sampled models are compared with
AT_COMPOSITION = {"lattices": 64, "sweeps": 10, "start": "random"}  # sampling law at fixed composition


def complete(study: Any) -> Any:
    """Return a study (plain mappings) with the defaults that follow from the rest of it; what is given stays."""
    if not isinstance(study, Mapping):
        return study
    models = {name: _complete_model(name, model, study) for name, model in _mapping(study.get("models")).items()}
    completed = {"observables": _observables(study), **study}
    if isinstance(study.get("evaluation", {}), Mapping):
        completed["evaluation"] = _evaluation(study.get("evaluation", {}), study, models)
    if models:
        completed["models"] = models
    elif isinstance(study.get("figures", {}), Mapping):
        completed["figures"] = {"draw": WITHOUT_MODELS, **study.get("figures", {})}
    return completed


def _observables(study: Mapping[str, Any]) -> list[str]:
    """Every species, every pair of two, and what else models interact by."""
    species = _words(study.get("species"))
    words = [*species, *map("".join, combinations_with_replacement(species, 2))]
    for model in _mapping(study.get("models")).values():
        for word in _words(_mapping(model).get("interactions")):
            if set(word) <= set(species) and len(word) <= LONGEST_WORD and not {word, word[::-1]} & set(words):
                words.append(word)
    return words


def _complete_model(name: str, model: Any, study: Mapping[str, Any]) -> Any:
    if not isinstance(model, Mapping):
        return model
    chain, recipe = _is_chain(model, study), _mapping(model.get("learning")).get("recipe")
    exact = chain and model.get("family", "natural") == "natural" and recipe != REDUCED
    natural = exact or recipe in ("gauss_newton", "contrastive")
    family = model.get("family") or ("natural" if natural else "composition")
    composition = family == "composition"
    defaults = {
        "family": family,
        "title": str(name).replace("_", " "),
        "initial": {"method": _start(model, study, exact, composition)},
        "learning": EXACT if exact else SAMPLED,
        "sampling": AT_COMPOSITION if composition else None if chain else PREDICTION,
        **({"runs": RUNS, "sampling": None} if recipe == REDUCED else {}),
    }
    given = {key: value for key, value in model.items() if value is not None or key == "sampling"}
    completed = {**defaults, **given}
    if composition and recipe != REDUCED:
        completed["sampling"] = {**AT_COMPOSITION, **_mapping(completed["sampling"])}
    matched = _mapping(completed["learning"]).get("recipe") in (SAMPLED["recipe"], REDUCED)
    completed["domain"] = (_matched_domain if matched else _domain)(model, _words(study.get("species")))
    if matched:
        completed["learning"] = _up_to_the_last(completed["learning"], study)
    return completed


def _up_to_the_last(section: Mapping[str, Any], study: Mapping[str, Any]) -> Mapping[str, Any]:
    """A section with the last time step that it is about: the last simulated one, unless it says another."""
    steps = _mapping(study.get("ensemble")).get("steps", STEPS)
    known = isinstance(steps, int) and steps > 0 and section.get("last_step") is None
    return {**section, "last_step": steps} if known else section


def _evaluation(section: Mapping[str, Any], study: Mapping[str, Any], models: Mapping[str, Any]) -> Mapping[str, Any]:
    """How models are scored: no further than the last step that counts, sampled ones with several laws too."""
    section = _up_to_the_last(section, study)
    if section.get("extrapolate_to") is None and section.get("last_step") is not None:
        section = {**section, "extrapolate_to": section["last_step"]}
    if any(_mapping(model).get("sampling") for model in models.values()):
        section = {"sweeps": SWEEPS, **section}
    return section


def _is_chain(model: Mapping[str, Any], study: Mapping[str, Any]) -> bool:
    """Whether a model looks like one with exact moments (`dbd.build.model.build_chain` knows)."""
    lattice = _mapping(study.get("lattice"))
    return (
        len(_words(study.get("species"))) == 1
        and isinstance(lattice.get("shape"), list | tuple)
        and len(lattice["shape"]) == 1
        and lattice.get("boundary", "open") == "open"
        and len(model.get("layers") or ()) < 2
    )


def _start(model: Mapping[str, Any], study: Mapping[str, Any], chain: bool, composition: bool) -> str:
    """How initial parameters are found."""
    start = _mapping(study.get("initial_condition"))
    if composition:
        return "sampled" if start.get("interactions") else "independent"
    if start.get("interactions") and start["interactions"] == model.get("interactions") and not model.get("layers"):
        return "given"
    return "exact" if chain else "independent"


def _domain(model: Mapping[str, Any], species: list[str]) -> Any:
    """Domain of a model: over its first parameters, on a default grid."""
    domain = model.get("domain") or {}
    if not isinstance(domain, Mapping):
        return domain
    parameters = domain.get("parameters", [*_words(model.get("interactions")), *_hidden(model)][:AXES])
    ranges = [BIAS if name in species else COUPLING for name in _words(parameters)]
    lower, upper = ([pair[side] for pair in ranges] for side in (0, 1))
    grid = {"parameters": parameters, "lower": lower, "upper": upper, "spacing": [SPACING] * len(ranges)}
    return {**grid, **domain}


def _matched_domain(model: Mapping[str, Any], species: list[str]) -> Any:
    """Domain where the data say how far: species, couplings of a species with itself, then others, up to four."""
    domain = model.get("domain") or {}
    words = _words(model.get("interactions"))
    alike = [word for word in words if len(word) == 2 and word[0] == word[1]]
    others = [word for word in words if word not in species and word not in alike]
    parameters = [*species, *alike, *others, *_hidden(model)][: AXES + 1]
    return {"parameters": parameters, **domain} if isinstance(domain, Mapping) else domain


def _hidden(model: Mapping[str, Any]) -> list[str]:
    """Parameters of hidden layers."""
    layers = [_mapping(layer) for layer in model.get("layers") or ()]
    return [word for layer in layers for key in ("weights", "species") for word in _words(layer.get(key))]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _words(value: Any) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list | tuple) else []
