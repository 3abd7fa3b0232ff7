"""What runs on a server: workflows of a provider, and the commands that only they need."""
