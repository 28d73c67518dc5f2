"""The promises of the Laravel stage: the brief's system in PHP, driven as its operator would."""
