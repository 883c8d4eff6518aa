import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Plug-ins of the tests, and a loader that keeps what it makes in a folder of its own.
struct PluginCase {
  /// The files that lie beside the tests.
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  /// The command beside the test bundle, which serves as the child.
  static let trit: String = {
    let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    return bundle.resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("trit").path
  }()

  let folder: TemporaryFolder
  let loader: PluginLoader

  init(seconds: Int = 60, path: String? = nil, program: String? = PluginCase.trit) throws {
    folder = try TemporaryFolder("plugin")
    loader = PluginLoader(
      folder: folder.path + "/cache", program: program, seconds: seconds,
      swift: LabPlugins.entry(), path: path)
  }

  /// The path of a fixture.
  static func fixture(_ name: String) -> String { fixtures + "/" + name }

  /// Writes a plug-in and gives its path.
  func write(_ text: String, to name: String = "mine.c") throws -> String {
    try folder.write(text, to: name)
  }

  /// The error that loading `text` gives.
  func error(_ text: String, name: String = "mine.c") throws -> LabError {
    try error(at: write(text, to: name))
  }

  /// The error that loading the file gives.
  func error(at path: String) throws -> LabError {
    try #require(throws: LabError.self) { _ = try loader.load(path) }
  }

  /// A plug-in of one right kernel, but for what is said.
  static func plugin(
    fields: String = "", bytes: String = "return rows * columns;", pack: String = "",
    multiply: String = "", top: String = ""
  ) -> String {
    """
    #include "trit_kernel.h"
    \(top)
    static size_t bytes(size_t rows, size_t columns) { \(bytes) }
    static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
      \(pack)
      int8_t *out = packed;
      for (size_t i = 0; i < rows * columns; i++) out[i] = trits[i];
    }
    static void multiply(const trit_work *w) {
      \(multiply)
      const int8_t *weights = w->packed;
      for (size_t t = 0; t < w->tokens; t++)
        for (size_t r = w->first_row; r < w->end_row; r++) {
          int32_t sum = 0;
          for (size_t k = 0; k < w->columns; k++)
            sum += weights[r * w->columns + k] * w->x[t * w->x_stride + k];
          w->sums[t * w->sums_stride + r] = sum;
        }
    }
    TRIT_KERNELS({.name = "mine", .packed_bytes = bytes, .pack = pack, .multiply = multiply\(fields)})
    """
  }
}
