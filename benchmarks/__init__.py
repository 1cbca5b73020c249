"""Measurements an ops team can repeat: accuracy, latency, cost."""
