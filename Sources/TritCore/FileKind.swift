#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What lies at a path.
///
/// A link whose target is gone is a kind of its own: a file that is asked for and a file that may
/// be missing are otherwise the same to `stat`, and half a download would pass for a model without
/// that file.
public enum FileKind: Sendable, Equatable {
  /// A regular file.
  case file
  /// A folder.
  case folder
  /// A named pipe, or one that a shell made.
  case pipe
  /// A device such as `/dev/zero` or a terminal.
  case device
  /// A socket.
  case socket
  /// A symbolic link to something that is not there; `target` is what the link says.
  case danglingLink(target: String)
  /// Nothing.
  case absent
  /// Something that cannot be looked at, with the system's reason.
  case hidden(reason: String)

  /// What lies at `path`, links followed.
  public init(at path: String) {
    var status = stat()
    if stat(path, &status) == 0 {
      self = Self(mode: status.st_mode)
      return
    }
    let reason = errno
    var link = stat()
    if lstat(path, &link) == 0, link.st_mode & S_IFMT == S_IFLNK {
      self =
        reason == ENOENT || reason == ENOTDIR || reason == ELOOP
        ? .danglingLink(target: Self.target(of: path)) : .hidden(reason: Self.words(reason))
    } else {
      self = reason == ENOENT || reason == ENOTDIR ? .absent : .hidden(reason: Self.words(reason))
    }
  }

  /// Of the `st_mode` of something that is there.
  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    case S_IFIFO: self = .pipe
    case S_IFSOCK: self = .socket
    default: self = .device
    }
  }

  /// What it is, in words: `a folder`.
  public var words: String {
    switch self {
    case .file: "a file"
    case .folder: "a folder"
    case .pipe: "a pipe"
    case .device: "a device"
    case .socket: "a socket"
    case .danglingLink(let target): "a link to '\(target)', which is not there"
    case .absent: "nothing"
    case .hidden(let reason): "something that cannot be looked at: \(reason)"
    }
  }

  /// Whether there is a name at `path`, be its target there or not.
  public var isNamed: Bool { self != .absent }

  private static func words(_ code: Int32) -> String { String(cString: strerror(code)) }

  private static func target(of path: String) -> String {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &bytes, bytes.count)
    return EscapedPath.text(bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) })
  }
}

extension LabError {
  /// Why there is no file to read at `path`: nothing is there, or something that is no file, or one
  /// that may not be read. `expected` and `advice` are for the first of these.
  public static func noFile(
    _ path: String, expected: String = "a readable file", advice: String = "check the path"
  ) -> LabError {
    switch FileKind(at: path) {
    case .absent:
      return LabError(
        .missingInput, "there is no such file", at: path, expected: expected, advice: advice)
    case .danglingLink(let target):
      let repository =
        HuggingFaceCache.repository(of: path) ?? HuggingFaceCache.repository(of: target)
      return LabError(
        .missingInput, "a link whose target is not there", at: path,
        expected: "the file '\(target)'",
        got: "no such file",
        advice: repository.map {
          "the download was not finished, or its blob was deleted; get it again: hf download \($0)"
        } ?? "get the file again, or make the link anew")
    case .hidden(let reason):
      return LabError(
        .missingInput, "cannot open the file: \(reason)", at: path, expected: expected,
        advice: "check its permissions and those of its folders")
    case .file:
      let reason = access(path, R_OK) == 0 ? "it cannot be read" : words(errno)
      return LabError(
        .missingInput, "cannot open the file: \(reason)", at: path, expected: expected,
        advice: "check its permissions: ls -l shows them, chmod +r gives the right to read")
    case let other:
      return LabError(
        .badData, "not a regular file", at: path, expected: expected, got: other.words,
        advice: other == .folder
          ? "name a file in it"
          : other == .pipe
            ? "copy what comes out of it to a file first, as in: cat \(path) > FILE"
            : "name a regular file")
    }
  }

  private static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// Names in the cache of Hugging Face's hub.
public enum HuggingFaceCache {
  /// `ORG/NAME` of a path within the cache (`…/models--ORG--NAME/…`), or nil.
  ///
  /// Source: huggingface.co/docs/hub/local-cache.
  public static func repository(of path: String) -> String? {
    for part in path.split(separator: "/") where part.hasPrefix("models--") {
      let name = part.dropFirst("models--".count)
      guard !name.isEmpty else { return nil }
      return name.split(separator: "--", maxSplits: 1).joined(separator: "/")
    }
    return nil
  }
}
