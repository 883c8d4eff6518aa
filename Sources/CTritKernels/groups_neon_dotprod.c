// 2-bit weights with group scales by sdot.
#if defined(__aarch64__)
#define TK_TARGET __attribute__((target("dotprod")))
#define TK_ENTRY tk_group_neon_dotprod
#define TK_DOTPROD 1
#include "groups_neon_body.h"
#endif
