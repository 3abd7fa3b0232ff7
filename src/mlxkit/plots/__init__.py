"""Plots of one or several revisions: DVC's definitions, Vega-Lite, one page, pictures."""
