"""Charts: Vega-Lite v6 specifications with their data inline, and pictures of them.

``run_chart`` and ``comparison_chart`` turn series into ``panels``, ``specification`` turns those into Vega-Lite, and
``rendering`` makes SVG and PNG of it in a process of its own.
"""
