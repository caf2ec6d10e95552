"""The worker: takes deliveries, runs them in slots, settles them.

Two threads. The engine thread (``pump.py``) is the only one that calls the engine. The main thread
(``loop.py``) runs all children, writes all output and records, and decides how to settle.
"""
