"""The gateway does what the brief says of it."""
