"""What an operator may write, and what he is told when it is wrong."""
