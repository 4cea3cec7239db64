"""What can be done in registry. Each verb writes rows and tells its fact; none commits, and each may be run again."""
