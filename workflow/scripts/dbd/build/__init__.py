"""From the sections of a study to objects."""
