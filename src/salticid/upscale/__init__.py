"""Detail: small images and video -> large ones, exact in tiles, in a fraction of a second on a CPU."""
