"""The command palette: the pages that a person may open, and what they search for by name."""
