"""Factors of units that more than one file needs."""

MIB = 2**20  # bytes
GIB = 2**30  # bytes
GIGA = 1e9
HOUR = 3600.0  # seconds
DAY = 86400.0
YEAR = 365.25 * DAY  # seconds
JOULES_PER_KWH = 3.6e6
