"""A drill: whole journeys during which everything is killed again and again."""
