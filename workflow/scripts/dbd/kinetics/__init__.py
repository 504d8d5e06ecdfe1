"""What follows from the reactions alone: networks, moment hierarchy, closures, exact first-order systems."""
