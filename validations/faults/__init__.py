"""Proof, both ways, that each planted fault turns just its cells red, and that a healthy stage has none."""
