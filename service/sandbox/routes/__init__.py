"""The routes of the sandbox, a module for each family of paths."""
