"""Charts: Vega-Lite v6 specifications with their data inline, and pictures of them.

``progress`` draws a run's series; comparisons can hand their own ``panels.Panel``s to ``specification.chart``.
``rendering`` makes SVG and PNG in a process of its own.
"""
