"""What is said: templates, push messages, and how one looks for one recipient."""
