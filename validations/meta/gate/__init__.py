"""Each judge on literal evidence: green for what is good, and not for whatever could pass for it."""
