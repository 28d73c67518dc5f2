"""Tests of how an environment is described, reached and started."""
