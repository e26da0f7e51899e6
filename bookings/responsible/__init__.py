"""People whom the booker lets take part in looking after a booking."""
