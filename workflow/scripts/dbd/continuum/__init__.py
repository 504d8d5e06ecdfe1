"""Particles with positions: simulation, densities, and the equations that their densities obey."""
