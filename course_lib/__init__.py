"""Helper library of the course "Transfer Learning from First Principles".

Importing this package imports nothing else; each lesson imports the one part that it needs:
``course_lib.exercises`` (checks), ``course_lib.foundations`` (NumPy references),
``course_lib.data`` (data sets) and ``course_lib.plots`` (figures and explorers).
"""

__version__ = "0.1.0"
