"""The sandbox's resources: one module for each, with its rules for changes."""
