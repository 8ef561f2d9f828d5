"""Data sets that the lessons use, none of which needs the network."""
