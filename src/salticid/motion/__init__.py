"""Videos of one person to a personal baseline, and a new video to what changed and how sure that is."""
