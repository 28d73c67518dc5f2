"""Races: every interleaving that matters, judged by invariants over what was seen."""
