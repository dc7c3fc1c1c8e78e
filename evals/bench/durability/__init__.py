"""What it takes to lose something: many actions, workers that are killed, and a witness that counts effects."""
