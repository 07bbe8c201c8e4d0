"""Unsubmitted forms: saved as they are typed and offered again."""
