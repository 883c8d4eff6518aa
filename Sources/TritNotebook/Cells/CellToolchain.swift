import Foundation
import TritCore
import TritPlugins

/// The programs that make a library of a cell. The compiler's front end and the linker are called
/// by themselves: their driver costs more than a small cell.
struct CellToolchain {
  let frontend: Toolchain.Tool
  let clang: Toolchain.Tool
  let linker: Toolchain.Tool
  let objcopy: Toolchain.Tool
  /// SourceKit-LSP; nil where the toolchain comes without it.
  let languageServer: String?
  /// What the linker puts first into a library of Swift.
  let start: String
  /// The folder of the modules that this program was built of.
  let modules: SwiftModules

  /// Those beside `swift`. Throws `missingInput` that says what is missing.
  init(program: String, _ toolchain: Toolchain = Toolchain()) throws {
    #if arch(x86_64)
      let machine = "x86_64"
    #else
      let machine = "aarch64"
    #endif
    guard let folder = toolchain.beside else {
      throw LabError(
        .missingInput, "cells of notebooks are compiled, and there is no Swift toolchain",
        expected: "swift on the PATH, of the version that built this program",
        advice:
          "install it from swift.org and add its usr/bin to PATH: export PATH=DIR/usr/bin:$PATH")
    }
    func tool(_ name: String) throws -> Toolchain.Tool {
      if let tool = toolchain.tool([name]), tool.path.hasPrefix(folder + "/") { return tool }
      throw LabError(
        .missingInput, "cells of notebooks are compiled, and the Swift toolchain lacks \(name)",
        at: folder, expected: "the toolchain as swift.org gives it",
        advice: "install that one and put its usr/bin first on the PATH")
    }
    frontend = try tool("swift-frontend")
    clang = try tool("clang")
    linker = try tool("ld.lld")
    objcopy = try tool("llvm-objcopy")
    let server = folder + "/sourcekit-lsp"
    languageServer = access(server, X_OK) == 0 ? server : nil
    let home = folder.hasSuffix("/bin") ? String(folder.dropLast(4)) : folder
    start = home + "/lib/swift/linux/\(machine)/swiftrt.o"
    guard FileStamp(path: start) != nil else {
      throw LabError(
        .missingInput, "the Swift toolchain lacks what begins a library", at: start,
        expected: "the toolchain of Linux as swift.org gives it",
        advice: "install that one and put its usr/bin first on the PATH")
    }
    do {
      modules = try SwiftModules(of: program)
    } catch {
      throw LabError(
        .missingInput, "cells of notebooks need the modules that the program was built of",
        at: program, got: (error as? LabError)?.expected.map { "no \($0)" },
        advice:
          "use the program of a checkout, .build/release/trit, or one that 'make install' has put in place"
      )
    }
  }

  /// Changes when the program, its modules or the tools do.
  var identity: String {
    [modules.identity, frontend.identity, clang.identity, linker.identity].joined(separator: "\n")
  }
}
