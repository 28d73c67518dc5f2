"""The explorer itself: its scheduler, reduction, models, eyes and judges, and how a race is told and shared."""
