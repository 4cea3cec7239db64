"""What people send to registry and what it answers."""
