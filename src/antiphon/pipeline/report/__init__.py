"""The report of a project: its facts as plain data, and one HTML file made of them."""
