"""What is behind each path: read, ask the service, answer in Mixpeek's shape."""
