// Buffers whose ends lie against pages that nothing may touch, and what leaves are given in them.

enum { MOST = 32 };
static struct {
  uint8_t *map;
  size_t bytes, used;
} buffers[MOST];
static int used_buffers;
static size_t page;

/// `bytes` bytes between two pages that nobody may touch; filled with `pattern`.
static void *guarded(size_t bytes, size_t alignment, int pattern) {
  size_t inner = (bytes + page - 1) / page * page, total = inner + 2 * page;
  if (used_buffers == MOST) fail("too many buffers");
  uint8_t *map = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) fail("no memory");
  mprotect(map, page, PROT_NONE);
  mprotect(map + page + inner, page, PROT_NONE);
  buffers[used_buffers].map = map;
  buffers[used_buffers].bytes = total;
  buffers[used_buffers++].used = bytes;
  uint8_t *start = map + page;
  if (at_end) start += (inner - bytes) / alignment * alignment;
  memset(map + page, 0xEE, inner);
  if (bytes) memset(start, pattern, bytes);
  return start;
}

/// From here on `p` is an input.
static void seal(const void *p) {
  for (int i = 0; i < used_buffers; i++) {
    uint8_t *map = buffers[i].map;
    if ((const uint8_t *)p >= map && (const uint8_t *)p < map + buffers[i].bytes)
      mprotect(map + page, buffers[i].bytes - 2 * page, PROT_READ);
  }
}

static void release(void) {
  while (used_buffers > 0) {
    used_buffers--;
    munmap(buffers[used_buffers].map, buffers[used_buffers].bytes);
  }
}

static uint64_t state = 1;
static uint32_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

static float *floats(size_t n) {
  float *x = guarded(4 * n, 4, 0);
  for (size_t i = 0; i < n; i++) x[i] = (float)((int)(draw() % 2001) - 1000) / 256;
  return x;
}

/// Numbers of every kind: those that conversions trip over.
static float *odd_floats(size_t n) {
  static const float odd[] = {0,        -0.0f,  INFINITY, -INFINITY, NAN,    1e-45f, -1e-45f, 3.4e38f, -3.4e38f,
                              65504.0f, 65520.0f, 6e-8f,    0.5f,      127.5f, -128.5f, 2147483648.0f, 1e10f};
  float *x = floats(n);
  for (size_t i = 0; i < n; i++)
    if (draw() % 3 == 0) x[i] = odd[draw() % (sizeof odd / sizeof *odd)];
  return x;
}

static int8_t *trits(size_t n) {
  int8_t *w = guarded(n, 1, 0);
  for (size_t i = 0; i < n; i++) w[i] = (int8_t)((int)(draw() % 3) - 1);
  seal(w);
  return w;
}

/// Rows of activations, padded with zeros to 64.
static int8_t *activations(size_t tokens, size_t columns, size_t stride) {
  int8_t *x = guarded(tokens * stride, 64, 0);
  for (size_t t = 0; t < tokens; t++)
    for (size_t k = 0; k < columns; k++)
      x[t * stride + k] = draw() % 4 == 0 ? 0 : (int8_t)((int)(draw() % 256) - 128);
  seal(x);
  return x;
}

static void *sealed(void *p) {
  seal(p);
  return p;
}

#define COUNT(list) (sizeof(list) / sizeof *(list))
