"""How each metric of a run progressed: one series for each name and label set.

``builder.series`` makes them from chunks. It works on numpy columns, chunk by chunk; import it only where series are
asked for, because numpy takes memory that a worker which never draws can do without.
"""
