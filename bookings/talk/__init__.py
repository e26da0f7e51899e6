"""What the booker and those who handle a booking write to each other about it."""
