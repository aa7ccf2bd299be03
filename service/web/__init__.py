"""The page for people: static ES modules that read the public API, served below ``/ui/``.

It is outside of the API and its document: nothing here reads a run, and nothing of the API knows of it.
"""
