"""`ar-bridge daemon`: everything at its time, by itself.

    service    the process: lock, signals, timetable, HTTP, watchdog
    core       one look at the timetable (a tick): what is due is begun, what has ended is noted
    timetable  when a job is due, and the slot that its run is known by
    jobs       the table of jobs
    hands      who does the work: a worker process that ends when there is nothing to do
    work       what each job does with an open book

The process that waits stays small: books are opened in the worker, which gives everything back
to the system when it ends.
"""
