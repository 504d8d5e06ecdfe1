"""Particles in continuous space: their simulation, reduced models and learning."""
