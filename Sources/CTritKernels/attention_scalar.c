// The attention leaves for every CPU.
#define TK_ATTENTION_TABLE tk_attention_scalar
#include "attention_body.h"
