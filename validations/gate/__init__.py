"""The eight validations and the objectives, one file each."""
