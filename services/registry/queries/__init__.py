"""What can be read in registry."""
