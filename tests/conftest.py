"""For all tests."""

from __future__ import annotations

import signal

# Started in the background (`pytest &`), this process and all that the tests start would ignore
# interrupts; the tests of Ctrl-C need the usual state.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
