"""Learned models to use: predictions, lattices, their equations in text, and files for other programs."""
