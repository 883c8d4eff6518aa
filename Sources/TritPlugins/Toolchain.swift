import Foundation
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The compilers and tools of the machine: those beside `swift`, else those on the PATH.
package struct Toolchain {
  /// A program, and what changes when it does.
  package struct Tool: Equatable {
    package let path: String
    /// Path, size and time of the file behind all links: another toolchain makes other libraries.
    package let identity: String
  }

  /// The folder of `swift`, behind all links; nil where there is none.
  package let beside: String?
  /// The folders of the PATH.
  private let folders: [String]

  /// What the environment's PATH offers.
  package init(path: String = ProcessInfo.processInfo.environment["PATH"] ?? "") {
    let onPath = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    let swift = onPath.lazy.map { $0 + "/swift" }.first { access($0, X_OK) == 0 }
    beside = swift.map { Self.real($0) }.map { ($0 as NSString).deletingLastPathComponent }
    folders = onPath
  }

  /// The first of `names` beside `swift`, else the first on the PATH.
  package func tool(_ names: [String]) -> Tool? {
    for name in names {
      for folder in (beside.map { [$0] } ?? []) + folders {
        let path = folder + "/" + name
        guard access(path, X_OK) == 0, FileKind(at: path) == .file else { continue }
        let real = Self.real(path)
        let stamp = FileStamp(path: real)
        return Tool(
          path: path, identity: "\(real) \(stamp?.size ?? 0) \(stamp?.modified ?? 0)")
      }
    }
    return nil
  }

  /// The C compiler. Throws `missingInput` where there is none.
  package func compiler() throws -> Tool {
    if let tool = tool(["clang", "cc"]) { return tool }
    throw LabError(
      .missingInput, "there is no C compiler to make a plug-in with",
      expected: "clang beside swift, or clang or cc on the PATH",
      got: folders.isEmpty ? "an empty PATH" : "none in \(folders.joined(separator: ":"))",
      advice:
        "install one (Debian, Ubuntu: sudo apt-get install clang), or add the toolchain's usr/bin "
        + "to PATH")
  }

  /// The path behind all links.
  private static func real(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
