"""Right-hand sides from data: trajectories, misfit, second-order steps, static matching."""
