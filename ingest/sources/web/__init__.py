"""Web servers: indexes of files, and WebDAV."""
