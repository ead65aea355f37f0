"""One address asked for: addresses, connections, answers, bounds, and the manners of asking."""
