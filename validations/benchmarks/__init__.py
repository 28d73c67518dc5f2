"""Measured ratios, each of two ways in one run; collected only where this folder is named on the command line."""
