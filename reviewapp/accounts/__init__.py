"""People: roles, sign-in, and how each likes to work."""
