"""The resources of the HTTP interface, a folder or a module each."""
