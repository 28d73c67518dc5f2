"""Tests of how facts are collected and read."""
