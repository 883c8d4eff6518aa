import Foundation
import Testing
import _TritTestSupport

/// `trit new` writes files that are right as they stand, over nothing that is there.
@Suite struct NewCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("new") }

  private func run(_ words: String...) throws -> CommandResult {
    try CommandRunner.run(["new"] + words, folder: folder.path)
  }

  @Test func aKernelAndItsExperimentAreWritten() throws {
    let result = try run("kernel", "mine")
    #expect(result.status == 0 && result.out == "mine.c\nmine.yaml\n", "\(result)")
    #expect(result.err.contains("trit kernel check mine --plugin mine.c"))
    let source = try String(contentsOfFile: folder.file("mine.c"), encoding: .utf8)
    #expect(source.contains("TRIT_KERNELS({.name = \"mine\""))
    // The experiment is whole but for the kernel, which only the plug-in brings.
    let plan = try CommandRunner.run(["run", "mine.yaml", "--list"], folder: folder.path)
    #expect(plan.status != 0 && plan.err.contains("unknown kernel 'mine'"), "\(plan)")
    #expect(!plan.err.contains("problems"), "\(plan)")
    let own = try String(contentsOfFile: folder.file("mine.yaml"), encoding: .utf8)
    try folder.write(own.replacing("\"mine\"", with: "base3"), to: "own.yaml")
    let listed = try CommandRunner.run(["run", "own.yaml", "--list"], folder: folder.path)
    #expect(listed.status == 0 && listed.out.split(separator: "\n").count == 3, "\(listed)")
  }

  /// The C file is compiled without a warning, and computes sums worked out by hand.
  @Test(.enabled(if: header != nil && StubMachine.find("clang") != nil, "no header, or no clang"))
  func theKernelCompilesAndIsRight() throws {
    #expect(try run("kernel", "mine").status == 0)
    try folder.write(
      """
      #include <stdio.h>
      #include "trit_kernel.h"
      int main(void) {
        // Rows (1, -1, 0) and (0, 1, 1) times (5, 7, -100): -2 and -93.
        const int8_t trits[] = {1, -1, 0, 0, 1, 1}, x[64] = {5, 7, -100};
        const trit_kernel *kernel = trit_kernels.kernels;
        int8_t packed[6] = {0};
        int32_t sums[2] = {0};
        if (kernel->packed_bytes(2, 3) != 6) return 1;
        kernel->pack(2, 3, trits, packed);
        kernel->multiply(&(trit_work){.packed = packed, .rows = 2, .columns = 3, .end_row = 2,
          .tokens = 1, .x = x, .x_stride = 64, .sums = sums, .sums_stride = 2});
        printf("%s %d %d\\n", kernel->name, sums[0], sums[1]);
      }
      """, to: "main.c")
    let built = try CommandRunner.shell(
      "cd '\(folder.path)' && clang -Wall -Wextra -Werror -I '\(Self.header ?? "")' mine.c main.c "
        + "-o main && ./main")
    #expect(built.status == 0 && built.out == "mine -2 -93\n", "\(built)")
  }

  private static let header: String? = {
    let folder = StubMachine.checkout + "/Sources/CTritPlugin/include"
    return FileManager.default.fileExists(atPath: folder + "/trit_kernel.h") ? folder : nil
  }()

  @Test func nothingIsOverwritten() throws {
    try folder.write("mine", to: "mine.yaml")
    let result = try run("kernel", "mine")
    #expect(result.status == 1 && result.err.contains("mine.yaml: the file is there already"))
    #expect(try folder.names() == ["mine.yaml"])
    #expect(try run("kernel", "mine", "-o", "other/place").status == 0)
    #expect(try run("kernel", "mine", "-o", "mine.yaml").status == 1)
  }

  @Test(arguments: ["", "a/b", "../a", ".a", "-a", "a b", "model", "all", "ä", "a\"b", "i2_s"])
  func badNamesAreRefused(name: String) throws {
    let result = try run("kernel", "--", name)
    #expect(result.status == 64, "\(result)")
    #expect(try folder.names().isEmpty)
  }
}
