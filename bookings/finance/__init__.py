"""Pages of money beside the checkout: what somebody has paid, what a supplier has earned, what the city looks after."""
