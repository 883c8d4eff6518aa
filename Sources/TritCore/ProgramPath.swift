import Foundation

/// Where the running program lies.
///
/// Foundation's `Bundle.main` ends the process where the path is not UTF-8, a folder with a name in
/// Latin-1 for instance; here there is then no path, and what lies beside the program is looked for
/// elsewhere.
public enum ProgramPath {
  /// The absolute path, links resolved; nil where the system does not tell it or it is not UTF-8.
  public static let path: String? = {
    #if os(Linux)
      var bytes = [CChar](repeating: 0, count: 4096)
      let count = readlink("/proc/self/exe", &bytes, bytes.count)
      guard count > 0, count < bytes.count else { return nil }
      return String(validating: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
      return Bundle.main.executableURL?.resolvingSymlinksInPath().path
    #endif
  }()

  /// A path by which the program can be opened, whatever its name.
  public static var readable: String { path ?? "/proc/self/exe" }

  /// The folder of the experiment files that come with the program: that of the checkout which this
  /// process stands in, else the one beside the program, as a build or an installation has it; nil
  /// where there is none.
  package static var experiments: String? {
    let candidates = folders.flatMap { [$0 + "/share/trit/experiments", $0 + "/experiments"] }
    return (["experiments"] + candidates).first { FileKind(at: $0 + "/quickstart.yaml") == .file }
  }

  /// The folders above the program, the nearest first, the root left out; none where its path is
  /// not known.
  public static let folders: [String] = {
    var parts = (path ?? "").split(separator: "/").dropLast()
    var folders: [String] = []
    while !parts.isEmpty {
      folders.append("/" + parts.joined(separator: "/"))
      parts = parts.dropLast()
    }
    return folders
  }()
}
