"""Boltzmann distributions on a lattice: energies, exact chains, samplers and their laws."""
