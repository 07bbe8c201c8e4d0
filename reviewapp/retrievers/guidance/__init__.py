"""Labels and guidelines, in versions."""
