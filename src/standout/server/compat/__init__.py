"""Other people's APIs, a module each, so that their clients change nothing but the address."""
