"""Learn the right-hand sides of a model's differential equations from the training split."""
