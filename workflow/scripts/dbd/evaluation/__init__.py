"""Predictions, what they have to beat, and their errors."""
