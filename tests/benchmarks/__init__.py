"""How fast LipSol is on this machine. `make bench` runs it; each module here measures one thing.

Not tests: nothing is asserted, a target missed is written down as missed.
"""
