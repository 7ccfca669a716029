"""Where event files lie: each source lists its files and reads byte ranges of them."""
