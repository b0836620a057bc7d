"""Measurements, one command each. None is a test; figures in the docs name the command that prints them."""
