/* NET_INPUTS numbers 0..127 to NET_OUTPUTS numbers; `scratch` has room for NET_SCRATCH numbers. */
void net_run(const uint8_t *input, int16_t *outputs, uint16_t *scratch);

/* Returns 0, or the number of the first test vector that does not give the bits it should; memory as for net_run. */
#ifndef NET_NO_SELFTEST
int net_selftest(uint16_t *scratch, int16_t *outputs);
#endif
