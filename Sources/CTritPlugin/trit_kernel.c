// The header that plug-ins are compiled with travels inside the program, and its layout is pinned:
// a plug-in that was compiled with version 1 must find every field where it was.
#include "trit_kernel.h"

#include "trit_plugin_child.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
static const char header_text[] = {
#embed "include/trit_kernel.h" suffix(, )
    0};

const char *trit_kernel_header(void) { return header_text; }

_Static_assert(TRIT_KERNEL_VERSION == 1, "these are the places of version 1");
#if UINTPTR_MAX == UINT64_MAX
#define PLACE(type, field, offset)                  \
  _Static_assert(offsetof(type, field) == (offset), \
                 #type "." #field " has moved: give the header a new version")
PLACE(trit_kernel_list, version, 0);
PLACE(trit_kernel_list, kernel_size, 4);
PLACE(trit_kernel_list, count, 8);
PLACE(trit_kernel_list, kernels, 16);
PLACE(trit_kernel, name, 0);
PLACE(trit_kernel, needs, 24);
PLACE(trit_kernel, column_multiple, 40);
PLACE(trit_kernel, pack, 56);
PLACE(trit_kernel, multiply, 64);
PLACE(trit_kernel, layout, 88);
PLACE(trit_kernel, dot, 96);
_Static_assert(sizeof(trit_kernel) == 104, "trit_kernel has grown: give the header a new version");
PLACE(trit_work, first_row, 24);
PLACE(trit_work, x, 48);
PLACE(trit_work, layout, 64);
PLACE(trit_work, sums, 80);
_Static_assert(sizeof(trit_work) == 96, "trit_work has grown: give the header a new version");
#endif
