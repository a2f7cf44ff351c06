"""What attackers try, and what must never be seen outside."""
