"""The fixed strings of answers, cards and errors, in the languages sayso speaks."""
