"""A laboratory in which processes die: at every boundary, for every effect, on both ledgers.

    template    a company in the morning of a day on which every kind of effect is due (company,
      |         covering)
      `- case   one way of dying: its own clock, its own copy of our files (cases)
           |- world     the ledger, the mail server and the gateway: they outlive everybody
           `- process   `ar-bridge`, which kills itself at boundary n; then another one, which may
                        die at boundary m; then those that come to their end

A boundary is the instant before or after a commit, a request, what SMTP sends or answers, or a
file that takes its name or a line (boundaries). What must be is what the world holds when nobody
dies (verdict). Whatever drives actions to the ledger can be put in (protocols); two that are wrong
live beside it, to show that the laboratory sees what is to be seen (wrong).

Most cases do not begin in the morning: one process is run through the day and stands still where
it is to die, and what our files and the world hold there is copied (walk). A part of the cases,
all in the middle of a mail, and all on PostgreSQL are real deaths.

`python -m tests.crashlab --ledger both --double` walks all of it and prints JSON lines.
"""
