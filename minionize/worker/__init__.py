"""The worker: takes deliveries, runs them in slots, settles them.

The engine thread (``pump.py``) is the only one that calls the engine. The main thread (``loop.py``) decides how to
settle and writes the records. Threads that wait for children (``waiters.py``) begin the next run in their slot.
"""
