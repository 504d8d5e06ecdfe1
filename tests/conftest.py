"""Shared by all tests."""

import copy
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]

STUDY = yaml.safe_load("""
title: A small study
species: [A]
reactions:
  - {equation: A + A -> 0, probability: 0.1}
  - {equation: A -> 0, rate: 2}
lattice: {shape: [20], boundary: open}
initial_condition:
  interactions: [A, AA]
  box: {lower: [-1, -1], upper: [1, 1]}
  sweeps: 5
ensemble:
  dt: 0.01
  steps: 10
  splits:
    train: {initial_conditions: 4, runs: 6}
    test: {initial_conditions: 3, runs: 5}
observables: [A, AA, AAA]
models:
  visible:
    title: visible
    interactions: [A, AA]
    domain: {parameters: [A, AA], lower: [-2, -2], upper: [2, 2], spacing: [0.5, 0.5]}
    initial: {method: given}
    learning: {recipe: gauss_newton, roughness: [1.0e-4]}
    published: {AAA: 5.0}
  hidden:
    title: hidden
    interactions: [A]
    layers:
      - {species: [X], weights: [AX], offsets: [[0], [1]]}
    domain: {parameters: [A, AX, X], lower: [-2, -2, -2], upper: [2, 2, 2], spacing: [1, 1, 1]}
    initial: {method: contrastive, contrastive: {batch: 3}}
    learning: {recipe: contrastive, steps: 4, rate: {A: 1, AX: 1, X: 1}, window: 2, steps_per_shift: 2, batch: 3}
    sampling: {lattices: 4}
""")


@pytest.fixture
def tree():
    """A right study in plain mappings, with a model of each recipe, to be changed at will."""
    return copy.deepcopy(STUDY)


@pytest.fixture
def save_study(tmp_path, monkeypatch):
    """Write plain mappings, or text, as a study file and return its path, which is short and relative."""
    monkeypatch.chdir(tmp_path)

    def save(study):
        path = Path("study.yaml")
        path.write_text(study if isinstance(study, str) else yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
        return path

    return save
