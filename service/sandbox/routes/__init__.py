"""What the sandbox answers, a module for each family of paths."""
