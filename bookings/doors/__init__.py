"""How the door opens: an instruction or a code, shown to the booker's side near the time and nowhere else.

A code comes from a lock provider, by a job after the booking is confirmed. The booking never waits for it: a vendor that
does not answer costs the code for a while, and a sweeper tries again.
"""
