"""Invoices of what was sold with the way "invoice": issued, credited, paid, sent on as PDF, Finvoice and lists."""
