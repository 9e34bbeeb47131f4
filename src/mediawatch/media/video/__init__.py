"""Videos and animations: probed, planned, copied or encoded anew, and verified.

Everything here runs in a worker process. PyAV is imported when a video comes, not before.
"""
