"""Labels for photographs that have no masks: several networks judge, and what they agree on is kept."""
