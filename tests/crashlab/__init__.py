"""A laboratory in which processes die: at every boundary, for every effect, on both ledgers.

    template    a company in the morning of a day on which every kind of effect is due (company)
      `- case   one way of dying: its own clock, its own copy of our files (cases)
           |- world     the ledger, the mail server and the gateway: they outlive everybody
           `- worker    `ar-bridge` in a process that kills itself at boundary n; then another one,
                        which may be killed at boundary m; then those that come to their end

A boundary is the instant before or after a commit, a request, what SMTP sends or answers, or a
file that takes its name (boundaries). What must be is what the world holds when nobody dies
(verdict). Whatever drives actions to the ledger can be put in (protocols); two that are wrong
live beside it, to show that the laboratory sees what is to be seen (wrong).

`python -m tests.crashlab --ledger both --double` walks all of it and prints JSON lines.
"""
