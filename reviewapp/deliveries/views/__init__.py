"""Views about deliveries and about changes that need attention."""
