"""The parts of a report, each made of its part of the data."""
