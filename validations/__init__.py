"""What must hold: the eight checks, the objectives, and the proofs that they can be trusted."""
