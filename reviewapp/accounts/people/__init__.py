"""People: invitations, names, preferences and the demo's sign-ins."""
