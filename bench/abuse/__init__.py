"""What others may send, and what it costs everybody else: each case beside a healthy client, on a worker of its own."""
