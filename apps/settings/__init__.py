"""What a person may set: sections, their bounds, and how files, environment and flags add up."""
