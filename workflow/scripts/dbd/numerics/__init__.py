"""Tools without physics: Hermite elements, damped Gauss-Newton descent, threads, random streams."""
