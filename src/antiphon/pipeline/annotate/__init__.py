"""What people say of windows: answers, queues of windows to answer, disagreements."""
