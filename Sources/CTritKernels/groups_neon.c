// 2-bit weights with group scales on plain NEON: smlal into int16 sums.
#if defined(__aarch64__)
#define TK_TARGET
#define TK_ENTRY tk_group_neon
#define TK_DOTPROD 0
#include "groups_neon_body.h"
#endif
