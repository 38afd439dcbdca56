"""The nouns of the product as frozen values, and the ports through which the world is reached. No I/O."""
