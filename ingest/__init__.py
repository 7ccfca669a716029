"""From event files to rows: find, read, decode, and hand over to the lake."""
