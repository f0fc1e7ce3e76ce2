"""Work that is more than one thing: worker processes, the journal of what is done, and the lock of who is at it.

`pool.py` runs a function in worker processes; a worker that dies costs one item. `journal.py` keeps what was made from
what, in which way. `lease.py` holds a place where files can't be locked.
"""
