"""Tells what a run found: records, the verdict, and the reports derived from them."""
