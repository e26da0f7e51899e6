"""The owner's desk as far as it shows bookings: the day and week of own spaces, requests to answer, the week for the door."""
