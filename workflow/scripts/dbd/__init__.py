"""Dynamic Boltzmann distributions. Knows nothing of Snakemake or of paths. Its folders, each using those above it:

messages     how a mistake is reported
lattice      where molecules can be: geometry, counting, packed storage
kinetics     what follows from the reactions alone: networks, moment hierarchy, closures, exact first-order systems
numerics     tools without physics: Hermite elements, damped Gauss-Newton descent, threads, random streams

boltzmann    Boltzmann distributions on a lattice: energies, exact chains, samplers and their laws
continuum    particles with positions: simulation, densities and the equations that they obey
files        what is on disk: netCDF, tables, checkpoints, benchmarks

simulation   stochastic simulation on a lattice, and where its runs start
learning     right-hand sides from data; recipes/ holds one way to learn per file, named as in a study file
evaluation   predictions, what they have to beat, and their errors

build        from the sections of a study to objects; small files, because a file is the unit of rerun
closure      a learned model to use: predictions, lattices, equations, files for other programs

study        study files: types, derived defaults, checks, reading; what their jobs are cut into, cost and import
job          what every script does around its work
plotting     the style of all figures
"""
