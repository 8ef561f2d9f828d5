"""Python imports this as it starts, if this folder is on its path.

It has ten thousand objects made, not seven hundred, before it looks for garbage: importing
TensorFlow, which nearly every process of the tests does, then takes a fifth less.
"""

import gc

gc.set_threshold(10_000)
