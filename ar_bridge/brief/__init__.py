"""The owner's brief: what was done, what waits and since when, what is stuck, money in.

`making.make_brief` gathers it, `writing.write_brief` puts it into words, and
`sending.send_brief` mails it, once for each local day.
"""
