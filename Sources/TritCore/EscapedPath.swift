#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Names of files as bytes, which need not be UTF-8: a name in Latin-1 is one.
///
/// A `String` cannot hold such a name, so that it cannot be opened by one. It is shown with its
/// bytes escaped.
public enum EscapedPath {
  /// `bytes` as text: valid UTF-8 as it is, every other byte as `\xE9`.
  public static func text(_ bytes: some Collection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var text = ""
    var decoder = UTF8()
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      var iterator = rest.makeIterator()
      decoder = UTF8()
      if case .scalarValue(let scalar) = decoder.decode(&iterator) {
        text.unicodeScalars.append(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        let digits = String(rest[rest.startIndex], radix: 16, uppercase: true)
        text += "\\x" + (digits.count == 1 ? "0" : "") + digits
        rest = rest.dropFirst()
      }
    }
    return text
  }

  /// The words of the command line that are not UTF-8, with their numbers from 1.
  public static func unreadableArguments() -> [(number: Int, text: String)] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { number in
      guard let word = CommandLine.unsafeArgv[number] else { return nil }
      let bytes = UnsafeRawBufferPointer(start: word, count: strlen(word))
      return String(validating: bytes, as: UTF8.self) == nil ? (number, text(bytes)) : nil
    }
  }
}

/// The names in a folder.
public struct FolderListing: Sendable {
  /// Names that are UTF-8, in the order of their bytes, `.` and `..` left out.
  public let names: [String]
  /// The others, escaped: files that no `String` can name.
  public let unreadable: [String]

  /// Reads the folder at `path`, links to it followed. Throws `missingInput` where it cannot be
  /// read.
  public init(_ path: String) throws {
    guard let folder = opendir(path) else {
      let reason = String(cString: strerror(errno))
      let kind = FileKind(at: path)
      guard kind == .folder || kind == .file else {
        throw LabError.noFile(path, expected: "a folder")
      }
      throw LabError(
        .missingInput, "cannot read the folder: \(reason)", at: path, expected: "a folder",
        got: kind == .folder ? nil : kind.words,
        advice: kind == .folder ? "check its permissions" : "check the path")
    }
    defer { closedir(folder) }
    var names: [String] = []
    var unreadable: [String] = []
    while let entry = readdir(folder) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if bytes == [0x2E] || bytes == [0x2E, 0x2E] { continue }
      if let name = String(validating: bytes, as: UTF8.self) {
        names.append(name)
      } else {
        unreadable.append(EscapedPath.text(bytes))
      }
    }
    self.names = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    self.unreadable = unreadable.sorted()
  }
}
