"""The run that goes on: a model that really learns, in plain Python, a step and a point at a time."""
