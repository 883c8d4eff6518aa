// 8-bit weights by sdot: signed times signed, four products summed straight into int32.
#if defined(__aarch64__)
#define TK_TARGET __attribute__((target("dotprod")))
#define TK_ENTRY tk_int8_neon_dotprod
#define TK_DOTPROD 1
#include "int8_neon_body.h"
#endif
