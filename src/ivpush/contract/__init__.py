"""What comes in, what is known of it, and what goes out: plain records, without any rule."""
