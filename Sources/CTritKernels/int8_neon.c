// 8-bit weights on plain NEON (every AArch64): smull to int16, sadalp into int32.
#if defined(__aarch64__)
#define TK_TARGET
#define TK_ENTRY tk_int8_neon
#define TK_DOTPROD 0
#include "int8_neon_body.h"
#endif
