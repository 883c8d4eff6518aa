// The way of prefetching that all leaves share.
#include "CTritKernels.h"
#include "tk_stream.h"

size_t tk_stream_ahead = TK_STREAM_NEAR;

void tk_stream_use(size_t ahead) { tk_stream_ahead = ahead == TK_READ_PAGES ? 0 : ahead; }

size_t tk_stream_used(void) { return tk_stream_ahead ? tk_stream_ahead : TK_READ_PAGES; }
