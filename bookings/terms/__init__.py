"""On which terms the city passes money on: its fee of private suppliers' income, and where amounts go in its accounts."""
