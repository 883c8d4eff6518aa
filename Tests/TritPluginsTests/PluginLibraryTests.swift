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
