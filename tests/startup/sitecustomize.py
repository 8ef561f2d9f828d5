"""Python imports this as it starts, if this folder is on its path.

It has ten thousand objects made, not seven hundred, before it looks for garbage, and looks for none
as it ends: for the half a million objects of TensorFlow, which nearly every process of the tests
imports, that is most of a second each time.
"""

import atexit
import gc

gc.set_threshold(10_000)
atexit.register(gc.freeze)
