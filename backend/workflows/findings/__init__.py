"""What a loop finds out once the queue is out."""
