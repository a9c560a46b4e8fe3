"""``onecall doctor``: what is right and wrong with the box, and what to do about it."""
