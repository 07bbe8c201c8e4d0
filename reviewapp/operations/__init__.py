"""What whoever runs this needs: health, metrics, logs, the web server's set-up, backup and restore."""
