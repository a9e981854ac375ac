"""The web app: listen, look, label, and watch the detector get better."""
