"""The ML Test Score of a commit (Breck et al. 2017), from what is on record alone."""
