"""Helper library of the course "Transfer Learning from First Principles".

Importing this package imports nothing else; each lesson imports the one part that it needs:
``course_lib.exercises`` (checks), ``course_lib.foundations`` (NumPy references),
``course_lib.data`` (data sets), ``course_lib.plots`` (figures and explorers) and
``course_lib.transfer`` (pretrained networks, the only part that needs Keras).
"""

__version__ = "0.1.0"
