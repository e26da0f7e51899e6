"""Spaces offered before anything is typed: by what one has booked before, with consent, and booked with one press."""
