"""Who came: checking in at the door, by a code or by the owner's hand, and what happens when nobody comes."""
