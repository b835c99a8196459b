"""Values and steps that know no system: arrays in, arrays out."""
