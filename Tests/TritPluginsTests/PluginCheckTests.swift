import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Kernels that are wrong, crash or hang end in the child, and the error says where.
@Suite struct PluginCheckTests {
  @Test func aWrongKernelIsToldByItsFirstCases() throws {
    let error = try PluginCase().error(at: PluginCase.fixture("wrong.c"))
    #expect(error.kind == .verdict)
    #expect(error.what == "kernel 'wrong' of the plug-in is wrong")
    let lines = try #require(error.got).split(separator: "\n")
    #expect((1...9).contains(lines.count))
    // The first shape of 1,000 columns, one too many in its first sum.
    #expect(error.got?.contains("64 × 1000") == true, "\(error)")
    #expect(error.got?.contains("int32 sums are the oracle's, bit for bit") == true, "\(error)")
  }

  /// Only a pass is remembered.
  @Test func aWrongKernelIsWrongTheNextTimeToo() throws {
    let test = try PluginCase()
    for _ in 0..<2 {
      #expect(try test.error(at: PluginCase.fixture("wrong.c")).kind == .verdict)
    }
  }

  @Test func aCrashHasItsLine() throws {
    let path = PluginCase.fixture("crash.c")
    let error = try PluginCase().error(at: path)
    #expect(error.kind == .failure)
    #expect(error.what.contains("crashed (SIGSEGV"))
    #expect(error.what.contains("while its laws were checked"))
    #expect(error.place == "\(path):10", "\(error)")
    #expect(error.got?.contains("in multiply at \(path):10") == true, "\(error)")
  }

  @Test func aHangHasItsLine() throws {
    let path = PluginCase.fixture("hang.c")
    let error = try PluginCase(seconds: 1).error(at: path)
    #expect(error.kind == .failure)
    #expect(error.what.contains("did not end within 1 s"))
    #expect(error.place == "\(path):11", "\(error)")
    #expect(error.got?.contains("in multiply") == true)
  }

  /// A fault in the C library is told at the line that called it.
  @Test func aCrashInTheLibraryOfCIsToldAtTheCall() throws {
    let text = PluginCase.plugin(
      multiply: "memset((void *)w->tokens, 1, 1000 * w->columns);", top: "#include <string.h>")
    let test = try PluginCase()
    let path = try test.write(text)
    let error = try test.error(at: path)
    #expect(error.what.contains("SIGSEGV"))
    #expect(error.place == "\(path):10", "\(error)")
  }

  @Test(arguments: [
    ("abort();", "SIGABRT"), ("__builtin_trap();", "SIG"), ("exit(3);", "exit code 3"),
    ("_exit(0);", "exit code 0"), ("raise(SIGKILL);", "SIGKILL"),
  ]) func otherEndsAreTold(statement: String, words: String) throws {
    let text = PluginCase.plugin(
      pack: statement, top: "#include <stdlib.h>\n#include <signal.h>\n#include <unistd.h>")
    let error = try PluginCase().error(text)
    #expect(error.kind == .failure)
    #expect(error.what.contains(words), "\(error)")
    #expect(error.what.contains("while it packed weights"))
  }

  /// A stack that overflows leaves no stack to tell of it.
  @Test func anEndlessRecursionIsTold() throws {
    let text = PluginCase.plugin(
      multiply: "if (deep((int)w->tokens)) return;",
      top: """
        __attribute__((noinline, optnone)) static int deep(int n) {
          volatile char a[512];
          a[0] = (char)n;
          return deep(n + 1) + a[0];
        }
        """
    )
    let error = try PluginCase().error(text)
    #expect(error.what.contains("SIGSEGV"), "\(error)")
    #expect(error.got?.contains("in deep") == true, "\(error)")
  }

  @Test func aCrashWhileLoadingIsTold() throws {
    let text = PluginCase.plugin(
      top: "__attribute__((constructor)) static void early(void) { __builtin_trap(); }")
    let error = try PluginCase().error(text)
    #expect(error.what.contains("while it was loaded"), "\(error)")
  }

  // MARK: Bytes

  @Test func packingBeyondItsBytesIsFound() throws {
    let error = try PluginCase().error(
      PluginCase.plugin(pack: "((int8_t *)packed)[rows * columns + 3] = 1;"))
    #expect(error.kind == .verdict)
    #expect(error.got?.contains("beyond its bytes") == true, "\(error)")
    #expect(error.got?.contains("a write to byte 4") == true, "\(error)")
  }

  @Test(arguments: ["return 0;", "return rows * columns * 1000000;", "return (size_t)-1;"])
  func impossibleSizesAreRefused(statement: String) throws {
    let error = try PluginCase().error(
      PluginCase.plugin(bytes: "if (columns) { \(statement) } return rows;"))
    #expect(error.kind == .verdict)
    #expect(error.got?.contains("impossible number of bytes") == true, "\(error)")
  }

  @Test func writingOutsideTheRangeIsFound() throws {
    let error = try PluginCase().error(
      PluginCase.plugin(multiply: "w->sums[w->end_row] = 7;"))
    #expect(error.kind == .verdict, "\(error)")
  }

  /// A scratch that all threads share; between its writing and its reading others have their turn.
  @Test func aScratchOfAllThreadsIsFound() throws {
    let text = """
      #include <unistd.h>
      #include "trit_kernel.h"
      static size_t bytes(size_t rows, size_t columns) { return rows * columns; }
      static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
        int8_t *out = packed;
        for (size_t i = 0; i < rows * columns; i++) out[i] = trits[i];
      }
      static int32_t scratch[4096];
      static void multiply(const trit_work *w) {
        const int8_t *weights = w->packed;
        for (size_t t = 0; t < w->tokens; t++) {
          for (size_t r = w->first_row; r < w->end_row; r++) {
            int32_t sum = 0;
            for (size_t k = 0; k < w->columns; k++)
              sum += weights[r * w->columns + k] * w->x[t * w->x_stride + k];
            scratch[r - w->first_row] = sum;
          }
          if (w->columns == 640 && w->rows == 256) usleep(1000);
          for (size_t r = w->first_row; r < w->end_row; r++)
            w->sums[t * w->sums_stride + r] = scratch[r - w->first_row];
        }
      }
      TRIT_KERNELS({.name = "shared", .packed_bytes = bytes, .pack = pack, .multiply = multiply})
      """
    let error = try PluginCase().error(text)
    #expect(error.kind == .verdict, "\(error)")
    #expect(error.got?.contains("several threads at once") == true, "\(error)")
  }

  // MARK: The child

  @Test func aProgramThatIsNoChildIsNamed() throws {
    let test = try PluginCase(program: "/bin/true")
    let error = try test.error(PluginCase.plugin())
    #expect(error.kind == .failure)
    #expect(error.place == "/bin/true")
    #expect(error.advice == "call Plugins.childMain first in its main")
  }

  /// The program of the tests never calls `Plugins.childMain`: it must not start itself over and
  /// over.
  @Test func aProgramThatDoesNotServeIsTold() throws {
    let test = try PluginCase(program: nil)
    let error = try test.error(PluginCase.plugin())
    #expect(error.kind == .usage)
    #expect(error.expected == "a call of Plugins.childMain at the start of its main")
  }

  @Test func theChildsWordIsNoCommand() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: PluginCase.trit)
    process.arguments = ["__check-plugin"]
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 64)
    #expect(text.hasPrefix("this word is for the lab's own use"))
  }
}
