"""Pages for the browser: the application, its templates and its static files."""
