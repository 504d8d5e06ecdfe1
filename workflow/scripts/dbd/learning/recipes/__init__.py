"""Learning recipes, one per file, named as in a study file."""
