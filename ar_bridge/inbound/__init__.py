"""Mail that comes in: replies, messages that could not be delivered, complaints.

    sources, imap     where mail lies; each look tells what is new and what was read
    letter            bytes into headers, words and parts, whatever somebody sent
    bounces, automatic, urgent     what a mail says: undeliverable, out of office, urgent
    reading           all of that together: one `Reading` of one mail
    matching          whose it is: by the Message-ID that it answers, else by its sender
    recording         what it means for the book, in one transaction with the note that it was read
    polling           all sources, mail by mail

Nothing is deleted. Mail of others is never shown as HTML, and its attachments are only listed.
"""
