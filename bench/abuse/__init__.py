"""Hostile and careless clients, and what they cost others: each case beside a healthy client, on a worker of its
own."""
