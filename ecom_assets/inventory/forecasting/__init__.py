"""Forecasting of demand over whole panels: frames and arrays in, arrays out.

Every function works on all series at once and on weeks that were complete at its origin. What a
later week shows is never read by a forecast: splits are by time only.
"""
