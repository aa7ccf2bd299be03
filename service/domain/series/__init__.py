"""How each metric of a run progressed: one series for each name and label set.

``builder.series`` makes them from chunks, by numpy columns.
"""
