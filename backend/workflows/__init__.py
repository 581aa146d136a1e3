"""What the product does, without HTTP: connect, loop, predict, publish, doctor."""
