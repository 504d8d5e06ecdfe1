"""Stochastic simulation on a lattice, and where its runs start."""
