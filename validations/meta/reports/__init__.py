"""Tests of what the reports say."""
