"""The JSON API: Mixpeek's own paths and shapes, checked and recorded like a click."""
