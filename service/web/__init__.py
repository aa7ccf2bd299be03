"""The page for people: static ES modules that read the public API, served below ``/ui/``.

It is not part of the API or its document: it reads no runs, and the API does not depend on it.
"""
