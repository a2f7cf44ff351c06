"""What the project promises, each promise a sentence above the test that holds it."""
