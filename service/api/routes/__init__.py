"""The resources, a module for each group."""
