"""What is on disk: netCDF, tables, checkpoints, benchmarks."""
