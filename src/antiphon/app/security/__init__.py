"""Who asks, and whether they may: accounts, sessions, forged requests, limits."""
