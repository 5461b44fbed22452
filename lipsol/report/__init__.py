"""Pages and plots for people, the only door to jinja2 and matplotlib."""
