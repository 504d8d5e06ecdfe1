"""Dynamic Boltzmann distributions: kernels and numerics. Knows nothing of Snakemake or of file paths."""
