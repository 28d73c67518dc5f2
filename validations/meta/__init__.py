"""The suite on itself: does it see what it should, and is what it says true."""
