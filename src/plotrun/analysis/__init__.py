"""Durations of finished plots, read from the logs that plotters left behind."""
