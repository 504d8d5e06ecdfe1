"""Small studies in continuous space, in plain mappings, that tests share."""

import yaml

DENSITY = yaml.safe_load("""
title: A small study
species: [A]
reactions:
  - {equation: A + A -> 0, rate: 10}
  - {equation: A -> 0, rate: 1}
space: {lengths: [1], diffusion: {A: 0.01}, reaction_radius: 0.02}
ensemble:
  dt: 0.1
  steps: 3
  groups: 2
  splits:
    train: {runs: 6, starts: [{A: {poisson: {background: 9}}}, {A: {poisson: {background: 5, bumps: [[0.5, 0.1, 3]]}}}]}
    test: {runs: 4, starts: [{A: {poisson: {background: 7}}}]}
observables: {cells: [16]}
density_equation: {lower: -4, upper: 0, spacing: 0.5, substeps: 2}
models:
  learned: {title: learned, functions: {start_diffusion: 0.01, scale: [1, 1, 1], roughness: [1], held_out: [1]}}
  mean_field: {title: mean field, mean_field: {}}
  rate_law: {title: rate law, rate_law: {}}
evaluation: {cells: 8}
figures: {draw: [functions], colors: {learned: "#000000"}}
""")

PAIRS = yaml.safe_load("""
title: A small study of pairs
species: [A]
reactions: [{equation: A+A -> 0, rate: 10}]
space: {lengths: [4], boundary: periodic, diffusion: {A: 0.01}, reaction_radius: 0.02}
ensemble:
  dt: 0.1
  steps: 3
  groups: 2
  splits:
    train: {runs: 6, starts: [{A: {regular: {density: 5, spread: 0.1}}}, {A: {poisson: {background: 9}}}]}
    test: {runs: 4, starts: [{A: {clustered: {density: 5, members: 2, width: 0.02}}}]}
observables: {cells: [1], pairs: {reach: 0.5, bins: 50}, gaps: {reach: 1, bins: 10}}
pair_equation: {substeps: 2}
matching: {steps: [2], reach: 0.25, spacing: 0.05}
models:
  learned: {title: learned, closure: {spacing: 0.3, roughness: 1}}
  kirkwood: {title: Kirkwood, kirkwood: {}}
figures: {draw: [closure]}
""")
