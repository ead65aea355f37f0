"""What runs the projects; a user never needs to open it."""
