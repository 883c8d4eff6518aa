import Testing
import TritLab
import _TritTestSupport

/// What a library says of itself is checked before it is believed.
@Suite struct PluginLibraryTests {
  /// A list of a header that is not ours.
  private static func list(_ values: String) -> String {
    """
    #include <stddef.h>
    #include <stdint.h>
    __attribute__((visibility("default")))
    const struct {
      uint32_t version, kernel_size;
      size_t count;
      const void *kernels;
    } trit_kernels = {\(values)};
    """
  }

  @Test func anotherVersionIsRefusedByName() throws {
    let error = try PluginCase().error(Self.list("2, 104, 1, &trit_kernels"))
    #expect(error.kind == .badData)
    #expect(error.what == "the plug-in is of another version of trit_kernel.h")
    #expect(error.expected == "version 1, which this program reads")
    #expect(error.got == "version 2")
  }

  /// Version 1 as its first commit (6be4a03) had it, in a file that was written then and has its
  /// own copy of the header. A build that reads it no longer must refuse it by its number.
  @Test func aFileOfVersionOneIsRead() throws {
    let text = """
      #include <stddef.h>
      #include <stdint.h>
      typedef struct trit_work {
        const void *packed;
        size_t rows, columns, first_row, end_row, tokens;
        const int8_t *x;
        size_t x_stride;
        const uint8_t *layout;
        size_t layout_stride;
        int32_t *sums;
        size_t sums_stride;
      } trit_work;
      typedef struct trit_kernel {
        const char *name, *summary, *source, *needs;
        size_t row_alignment, column_multiple;
        size_t (*packed_bytes)(size_t rows, size_t columns);
        void (*pack)(size_t rows, size_t columns, const int8_t *trits, void *packed);
        void (*multiply)(const trit_work *work);
        size_t layout_tokens;
        size_t (*layout_bytes)(size_t columns);
        void (*layout)(size_t tokens, size_t columns, const int8_t *x, size_t x_stride, void *block);
        int32_t (*dot)(const uint8_t *codes, const int8_t *x, size_t columns);
      } trit_kernel;
      static size_t bytes(size_t rows, size_t columns) { return rows * columns; }
      static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
        int8_t *out = packed;
        for (size_t i = 0; i < rows * columns; i++) out[i] = trits[i];
      }
      static void multiply(const trit_work *w) {
        const int8_t *weights = w->packed;
        for (size_t t = 0; t < w->tokens; t++)
          for (size_t r = w->first_row; r < w->end_row; r++) {
            int32_t sum = 0;
            for (size_t k = 0; k < w->columns; k++)
              sum += weights[r * w->columns + k] * w->x[t * w->x_stride + k];
            w->sums[t * w->sums_stride + r] = sum;
          }
      }
      static const trit_kernel table[] = {
          {.name = "old", .packed_bytes = bytes, .pack = pack, .multiply = multiply}};
      __attribute__((visibility("default"))) const struct {
        uint32_t version, kernel_size;
        size_t count;
        const trit_kernel *kernels;
      } trit_kernels = {1, sizeof(trit_kernel), 1, table};

      """
    let test = try PluginCase()
    let plugin = try test.loader.load(test.write(text))
    #expect(plugin.wasChecked && plugin.kernels.map(\.descriptor.name) == ["old"])
    let refused = try test.error(text.replacing("{1, sizeof", with: "{0, sizeof"))
    #expect(refused.got == "version 0" && refused.advice?.isEmpty == false, "\(refused)")
  }

  @Test func aChangedHeaderIsRefused() throws {
    let error = try PluginCase().error(Self.list("1, 96, 1, &trit_kernels"))
    #expect(error.what.contains("another size"))
    #expect(error.got == "96 bytes")
  }

  @Test(arguments: ["1, 104, 0, &trit_kernels", "1, 104, 1, 0", "1, 104, 65, &trit_kernels"])
  func aListOfNothingIsRefused(values: String) throws {
    #expect(try PluginCase().error(Self.list(values)).what == "a plug-in offers 1 to 64 kernels")
  }

  @Test func aFileWithoutKernelsIsRefused() throws {
    let error = try PluginCase().error("int nothing;\n")
    #expect(error.what == "the plug-in offers no kernel")
    #expect(error.advice?.contains("TRIT_KERNELS") == true)
  }

  @Test(arguments: [
    ("{.summary = \"s\"}", "no name"), ("{.name = \"\"}", "no name"),
    ("{.name = \"a b\"}", "no name"), ("{.name = \"a:b\"}", "no name"),
    ("{.name = \"\\x1b[2J\"}", "no name"), ("{.name = \"\\xff\"}", "no text"),
    ("{.name = \"a\"}", "lacks a function"), ("{.name = \"a\", .pack = pack}", "lacks a function"),
    ("{.name = \"a\", .needs = \"sse9\", ALL}", "no instruction set 'sse9'"),
    ("{.name = \"a\", ALL, .layout_bytes = layout_bytes}", "half a layout"),
    ("{.name = \"a\", ALL, .row_alignment = 1 << 20}", "impossible .row_alignment"),
    ("{.name = \"a\", ALL, .column_multiple = (size_t)-1}", "impossible .column_multiple"),
    ("{.name = \"a\", ALL, .dot = dot}", "given twice"),
    ("{.name = \"a\", ALL}, {.name = \"a\", ALL}", "one name"),
  ]) func impossibleKernelsAreRefused(kernels: String, words: String) throws {
    let text = """
      #include "trit_kernel.h"
      #define ALL .packed_bytes = bytes, .pack = pack, .multiply = multiply
      size_t bytes(size_t rows, size_t columns) { return rows * columns; }
      void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
        (void)rows, (void)columns, (void)trits, (void)packed;
      }
      void multiply(const trit_work *w) { (void)w; }
      size_t layout_bytes(size_t columns) { return columns; }
      int32_t dot(const uint8_t *codes, const int8_t *x, size_t columns) {
        return codes[0] * x[0] * (int32_t)columns;
      }
      TRIT_KERNELS(\(kernels))
      """
    let test = try PluginCase()
    let error = try test.error(text)
    #expect(error.kind != .failure && error.kind != .verdict, "\(error)")
    #expect(error.what.contains(words), "\(error)")
    #expect(error.place?.hasPrefix(test.folder.file("mine.c")) == true, "\(error)")
    #expect(error.expected != nil || error.got != nil)
  }
}
