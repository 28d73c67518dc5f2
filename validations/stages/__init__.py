"""The promises of the two systems under test: the gateway and real Laravel."""
