"""For the operator: health, metrics, logs, the web server, backup and restore."""
