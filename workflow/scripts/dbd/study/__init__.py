"""Study files: types, defaults, checks, reading."""
