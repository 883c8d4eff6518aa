import Foundation

/// What this build of the lab is: for `trit --version` and the provenance of every record.
public enum BuildInformation {
  /// The version of the lab, as in CHANGELOG.
  public static let version = "0.1.0"

  /// The Swift compiler that built it, as far as the compiler tells its own sources.
  public static let swiftVersion: String = {
    #if compiler(>=6.5)
      return "6.5 or newer"
    #elseif compiler(>=6.4)
      return "6.4"
    #elseif compiler(>=6.3)
      return "6.3"
    #else
      return "6.2"
    #endif
  }()

  /// Whether the optimiser was on. Speed figures of an unoptimised build mean nothing.
  public static let isOptimized: Bool = {
    #if DEBUG
      return false
    #else
      return true
    #endif
  }()

  /// `x86_64` or `arm64`.
  public static let architecture: String = {
    #if arch(x86_64)
      return "x86_64"
    #elseif arch(arm64)
      return "arm64"
    #else
      return "unknown"
    #endif
  }()

  /// The commit of the checkout that the running program was built in; nil where it is not known.
  /// An installed program has it in `../share/trit/commit` (`make install`); the folders above that
  /// may be a repository of something else. Otherwise it is read from `.git` of the nearest folder
  /// above the program.
  public static let commit: String? = {
    let folders = ProgramPath.folders
    if let share = folders.dropFirst().first.map({ $0 + "/share/trit" }),
      FileKind(at: share + "/manifest") != .absent
    {
      return text(URL(fileURLWithPath: share + "/commit")).flatMap(valid)
    }
    let git = folders.map { $0 + "/.git" }.first { FileKind(at: $0) != .absent }
    return git.flatMap { head(of: URL(fileURLWithPath: $0)) }
  }()

  private static func head(of git: URL) -> String? {
    var folder = git
    // A worktree's `.git` is a file that names the real folder.
    if let link = try? String(contentsOf: git, encoding: .utf8), link.hasPrefix("gitdir:") {
      let path = link.dropFirst("gitdir:".count).trimmingCharacters(in: .whitespacesAndNewlines)
      folder = URL(fileURLWithPath: path, relativeTo: git.deletingLastPathComponent())
    }
    guard let head = text(folder.appendingPathComponent("HEAD")) else { return nil }
    guard head.hasPrefix("ref:") else { return valid(head) }
    let reference = head.dropFirst("ref:".count).trimmingCharacters(in: .whitespaces)
    if let direct = text(folder.appendingPathComponent(reference)) { return valid(direct) }
    // The branches of a worktree lie in the repository that it belongs to.
    if let common = text(folder.appendingPathComponent("commondir")) {
      folder = URL(fileURLWithPath: common, relativeTo: folder)
      if let direct = text(folder.appendingPathComponent(reference)) { return valid(direct) }
    }
    let packed = text(folder.appendingPathComponent("packed-refs")) ?? ""
    let line = packed.split(separator: "\n").first { $0.hasSuffix(" " + reference) }
    return line.flatMap { valid(String($0.prefix { $0 != " " })) }
  }

  private static func text(_ url: URL) -> String? {
    (try? String(contentsOf: url, encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func valid(_ commit: String) -> String? {
    commit.count >= 40 && commit.allSatisfy(\.isHexDigit) ? commit : nil
  }
}
