// The float leaves for every CPU: whatever the compiler's baseline vectorises to (SSE2, NEON).
#if defined(__aarch64__)
#define TK_HARDWARE_F16
#endif
#define TK_FLOAT_TABLE tk_float_scalar
#include "float_body.h"
